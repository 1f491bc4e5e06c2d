"""jaxprs, as of `str(traced.jaxpr)` (jax 0.10.2, 0.12.0.1), and signatures such as `f(f32[8], i32[])`."""

from __future__ import annotations

from jitinspect.render.highlight.engine import STRING, Grammar

_QUOTED = STRING.replace('"', "'")
_OBJECT = r"<(?:function|class|bound|built-in|object)\b"
_SCALAR = r"(?:bool|b?f\d\w*|[iuc]\d+|key<\w+>|float0|(?:float|u?int|complex|bfloat)\d\w*)"
_TOKENS = (
    ("string", STRING),
    ("string", _QUOTED),
    ("string", rf"{_OBJECT}[^>\n]*>"),
    ("unfinished", r"[\"'][^\n]*"),
    ("unfinished", rf"{_OBJECT}[^>\n]*"),
    ("shape", r"\[(?<=[\w>]\[)[^][\s=]*\]"),
    ("attribute", r"[A-Za-z_]\w*+(?==)"),
    ("dtype", rf"{_SCALAR}(?=\[)"),
    ("dtype", rf"(?<==){_SCALAR}\b"),
    ("op", r"[a-z_](?<= = .)[\w-]*"),
    ("op", r"[a-z_][\w-]*+(?=\[)"),
    ("symbol", r"[A-Za-z_](?:(?<=\blet .)|(?<=\bname=.)|(?<=jaxpr=.))\w*"),
    ("name", r"[a-z_](?<=\(.)[a-z_]*+(?=[,)])"),
    ("keyword", r"(?:lambda|let|in)\b(?![=>])"),
    ("number", r"-?\d+(?:\.\d*)?(?:e[+-]?\d+)?"),
    ("number", r"(?:None|True|False)\b"),
    ("plain", r"[\w.]+"),
)

GRAMMAR = Grammar(
    # Not the operation behind ` = `, nor the words `lambda`, `let` and `in`; but `in` may also be a variable.
    name=r" [a-z_](?<![=.}{] .)[a-z_]*+(?=[:,)\n ])(?! [=(;])",
    tokens=_TOKENS,
    cut="\n",
    comment="# ",
)
