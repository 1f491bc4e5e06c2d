"""HLO text, as of `Compiled.as_text()` and, with bare names, `Lowered.as_text("hlo")`.

The forms are those of jax 0.10.2 and 0.12.0.1.
"""

from __future__ import annotations

from jitinspect.render.highlight.engine import STRING, Grammar

_TOKENS = (
    ("string", STRING),
    ("unfinished", r'"[^\n]*'),
    ("shape", r"\[(?<=\w\[)[\d,<=?]*\]"),
    ("location", r"\{(?<=\]\{)[\d,]*(?::[^{}\s]*)?\}"),
    ("comment", r"/\*.*?\*/"),
    ("plain", r"/\*[^\n]*"),
    ("comment", r"//[^\n]*"),
    ("dtype", r"[a-z]\w*+(?=\[)"),
    ("op", r"[a-z][\w-]*+(?=\()"),
    ("number", r"-?(?:\d[\w.]*(?:(?<=e)[+-]\d+)?|inf\b|nan\b)"),
    ("number", r"(?:true|false)\b"),
    ("location", r"(?:metadata|stack_frame_id|source_\w+)(?==)"),
    ("attribute", r"[A-Za-z_]\w*+(?==)"),
    ("keyword", r"(?:HloModule|ENTRY|ROOT)\b"),
    ("keyword", r"->"),
    ("location", r"(?:FileNames|FunctionNames|FileLocations|StackFrames)\b"),
    ("symbol", r"[A-Za-z_][\w.-]*+(?:(?= \{)|(?<=\.\d)|(?<=\.\d\d)|(?<=\.\d\d\d))"),
    ("plain", r"[\w.-]+"),
)

WITH_SIGILS = Grammar(
    name=r"%[A-Za-z0-9_.-]+",
    tokens=_TOKENS,
    cut=" ",
    before=(
        ("=", "symbol"),
        ("\n", "symbol"),
        ("ENTRY ", "symbol"),
        ("\n ", "definition"),
        ("ROOT ", "definition"),
    ),
    # The parameters of a computation; its first lines repeat each one.
    aside=(" (", "->"),
)
BARE = Grammar(
    # With the character before it, which makes it a name; so the piece before ends with an opcode.
    name=r"[ (][A-Za-z_][A-Za-z0-9_-]*+\.[0-9][A-Za-z0-9_.-]*+",
    tokens=(("op", r"[a-z][\w-]*+\Z"), *_TOKENS),
    cut="\n",
    before=(("\n ", "definition"), ("ROOT", "definition")),
)


def grammar(text: str) -> Grammar:
    """The grammar of the form that `text` has."""
    return WITH_SIGILS if "\n%" in text or "\nENTRY %" in text or "  %" in text[:4096] else BARE
