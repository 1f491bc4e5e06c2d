"""LLVM IR, as XLA:CPU dumps it."""

from __future__ import annotations

from jitinspect.render.highlight.engine import Grammar

_TOKENS = (
    ("comment", r";[^\n]*"),
    ("symbol", r'@(?:"[^"\n]*"|[\w.$-]+)'),
    ("symbol", r"[A-Za-z0-9_.$-](?<=^.)[\w.$-]*+(?=:)"),
    ("name", r'%"[^"\n]*"'),
    ("string", r'c?"[^"\n]*"'),
    ("unfinished", r'"[^\n]*'),
    ("location", r"![\w.]*"),
    ("location", r"#\d+"),
    ("keyword", r"(?:define|declare|type|global|constant|private|internal|external)\b"),
    ("keyword", r"(?:source_filename|target|attributes|to)\b"),
    ("op", r"[a-z](?:(?<= = .)|(?<=^  .))\w*"),
    ("op", r"call\b"),
    ("dtype", r"(?:i\d+|float|double|half|bfloat|ptr|void|label)\b"),
    ("shape", r"\d(?<=[<\[].)\d*\Z"),
    ("number", r"-?(?:f?0x[KMLHR]?[0-9A-Fa-f]+|\d[\d.]*(?:e[+-]?\d+)?)\b"),
    ("number", r"(?:true|false|null|poison|undef|zeroinitializer)\b"),
    ("attribute", r"(?:align|nuw|nsw|nneg|inbounds|disjoint|exact|no[a-z]+)\b"),
    ("attribute", r"(?:fast|reassoc|contract|nnan|ninf|nsz|arcp|afn)\b"),
    ("attribute", r"(?:readonly|writeonly|(?:local_)?unnamed_addr|captures|dereferenceable)\b"),
    ("plain", r"[\w.]+"),
)

GRAMMAR = Grammar(
    name=r"%[A-Za-z0-9_.$-]+",
    tokens=_TOKENS,
    cut=", ",
    before=(("\n ", "definition"),),
)
