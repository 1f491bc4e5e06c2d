"""Machine code, as of `objdump` and `llvm-objdump`: x86 in Intel syntax, and AArch64."""

from __future__ import annotations

from jitinspect.render.highlight.engine import Grammar

_X86 = r"(?:[re]?(?:[abcd]x|[sd]i|[sbi]p)|[abcd][lh]|(?:[sd]i|[sb]p)l|r\d+[dwb]?|[xyz]mm\d+|k[0-7]|[c-gs]s)\b"
_AARCH64 = r"(?:[xwvqdsbhz]\d+(?:\.\w+)?|[xw]zr)\b"
_TOKENS = (
    ("comment", r";[^\n]*"),
    ("comment", r"//[^\n]*"),
    ("comment", r"# [^\n]*"),
    ("location", r"[0-9a-f](?<=[ \t].)[0-9a-f]*+:(?!\S)"),
    ("location", r"[0-9a-f](?<=\s.)(?:[0-9a-f]|[0-9a-f]{7})(?!\S)"),
    ("symbol", r"[A-Za-z_.$](?<=^.)[\w.$]*+(?=:)"),
    ("symbol", r"\.L\w+"),
    ("symbol", r"<[^<>\s]+>"),
    ("op", r"[a-z](?:(?<=^    .)|(?<=\t.))[\w.]*"),
    ("name", _X86),
    ("name", _AARCH64),
    ("attribute", r"(?:BYTE|[A-Z]*WORD|PTR)\b"),
    ("number", r"#?-?\d+\b"),
    ("plain", r"[\w.]+"),
)

GRAMMAR = Grammar(
    name=r"0x[0-9a-f]+",
    tokens=_TOKENS,
    cut=",",
    before=(("", "number"),),
)
