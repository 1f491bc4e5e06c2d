"""LLVM IR, as XLA:CPU dumps it."""

from __future__ import annotations

from jitinspect.render.highlight.engine import Grammar

_TOKEN = r"""
  (?P<comment> ;[^\n]* )
| (?P<symbol> @(?:"[^"\n]*"|[\w.$-]+) | (?<=\n)[\w.$-]+(?=:) )
| (?P<name> %"[^"\n]*" )
| (?P<string> c?"[^"\n]*" )
| (?P<unfinished> "[^\n]* )
| (?P<location> ![\w.]* | \#\d+ )
| (?P<op> (?<=\ =\ )(?!type\b|global\b|constant\b|private\b|internal\b|external\b)[a-z]\w* | (?<=\n\ \ )[a-z]\w* | \bcall\b )
| (?P<dtype> (?<![\w.])(?:i\d+|float|double|half|bfloat|ptr|void|label)\b )
| (?P<shape> (?<=[<\[])\d+$ )
| (?P<keyword> (?<![\w.])(?:define|declare|type|global|constant|private|internal|external|source_filename
    |target|attributes|to)\b )
| (?P<attribute> (?<![\w.])(?:align|nuw|nsw|nneg|inbounds|disjoint|exact|fast|reassoc|contract|nnan|ninf|nsz|arcp|afn
    |no\w+|readonly|writeonly|local_unnamed_addr|unnamed_addr|captures|dereferenceable)\b )
| (?P<number> (?<![\w.])-?(?:0x[KMLHR]?[0-9A-Fa-f]+|f0x[0-9A-F]+|\d[\d.]*(?:e[+-]?\d+)?)\b
  | (?<![\w.])(?:true|false|null|poison|undef|zeroinitializer)\b )
"""

GRAMMAR = Grammar(
    name=r"%[A-Za-z0-9_.$-]+",
    word=r'[@%c]?"[^"\n]*"|;[^\n]*|(?:\n *|[ ]=[ ]|[ ])?[^\s";]+',
    token=_TOKEN,
    before=r"(?P<definition>\n *)",
)
