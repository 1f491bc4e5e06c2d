"""What `jaxpr_lines` leans on: the printer's source map, frames of tracebacks."""

import sys

import jax
import jax.numpy as jnp

from jitinspect.jaxapi.source_lines import jaxpr_lines

X = jax.ShapeDtypeStruct((4,), "float32")


def inner(x):
    return jnp.sin(x)


def outer(x):
    return inner(x) + 1


def test_the_text_is_that_of_str_and_its_equations_have_their_frames():
    traced = jax.jit(outer).trace(X)
    text, frames_at = jaxpr_lines.printed(traced)
    assert text == str(traced.jaxpr)
    row, line = next((row, line) for row, line in enumerate(text.split("\n")) if "sin" in line)
    column = line.index("b:" if "b:" in line else line.split(" = ")[0].strip())
    inmost, caller = frames_at(row, column)[:2]
    first = inner.__code__.co_firstlineno
    assert (inmost.file, inmost.line, inmost.function) == (__file__, first + 1, "inner")
    assert (caller.line, caller.function) == (outer.__code__.co_firstlineno + 1, "outer")
    assert frames_at(row, column + 1) == frames_at(999, 0) == ()


def test_the_text_has_no_colours_where_stdout_is_a_terminal(monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\x1b" not in jaxpr_lines.printed(jax.jit(outer).trace(X))[0]
