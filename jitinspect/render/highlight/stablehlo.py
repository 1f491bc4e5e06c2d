"""StableHLO in MLIR's text form, as of `Lowered.as_text()`, with locations and without.

The forms are those of jax 0.10.2 and 0.12.0.1.
"""

from __future__ import annotations

from jitinspect.render.highlight.engine import STRING, Grammar

_TOKENS = (
    ("op", r'"[a-z_]+\.[\w.]+"(?=\()'),
    ("string", STRING),
    ("unfinished", r'"[^\n]*'),
    ("location", rf'loc\((?:[^()"\n]+|{STRING}|\([^()"\n]*\))++\)'),
    ("location", r"#loc\w*"),
    ("attribute", r"#\w+(?:\.\w+)*"),
    ("symbol", r"[@^][\w.$-]+"),
    ("shape", r"(?:(?:\d+|\?)x)++(?=[a-z!])"),
    ("plain", r"\?[?x\d]*"),
    ("number", r"-?(?:0x[0-9A-F]+|\d[\d.]*(?:[eE][+-]?\d+)?)"),
    ("keyword", r"->"),
    ("comment", r"//[^\n]*"),
    ("location", r"loc(?=\()"),
    ("dtype", r"(?:(?:[su]?i|b?f|tf|ui)\d\w*|index|none|complex)\b"),
    ("dtype", r"![\w.]+"),
    ("op", r"(?:stablehlo|chlo|vhlo|func|sdy|arith)\.(?!func\b|sharding\b)\w+"),
    ("keyword", r"(?:module|func\.func|return|public|private|attributes)\b(?!\.)"),
    ("keyword", r"(?:cond|do|init|applies|across)\b(?!\.)"),
    ("op", r"call\b"),
    ("number", r"(?:true|false)\b"),
    ("attribute", r"[A-Za-z_][\w.]++(?=\s|=|$)"),
    ("plain", r"[\w.]+"),
)

GRAMMAR = Grammar(name=r"%[A-Za-z0-9_.$#-]+", tokens=_TOKENS, cut=" ", before=(("\n ", "definition"),))
