"""StableHLO in MLIR's text form, as of `Lowered.as_text()`, with locations and without (jax 0.10.2, 0.12.0.1)."""

from __future__ import annotations

from jitinspect.render.highlight.engine import Grammar

_DTYPE = r"(?:[su]?i\d+|ui\d+|bf16|tf32|f\d\w*|index|none|complex(?=<)|!\w[\w.]*)"

_TOKEN = rf"""
  (?P<op> "[a-z_]+\.[\w.]+"(?=\() | (?<![\w.\#])(?!func\.func)[a-z_]+\.[a-z][\w.]*(?!\ =|[\w.]) | \bcall\b )
| (?P<string> "(?:[^"\\\n]|\\.)*" )
| (?P<unfinished> "[^\n]* )
| (?P<comment> //[^\n]* )
| (?P<location> \#loc\w* | \bloc(?=\() )
| (?P<symbol> [@^][\w.$-]+ )
| (?P<shape> (?<=<)(?:(?:\d+|\?)x)+(?=[a-z!]) )
| (?P<dtype> (?:(?<=[x<])|(?<![\w.\#])){_DTYPE}\b )
| (?P<attribute> (?<![\w.])[A-Za-z_][\w.]*(?=\ =) | \#\w+(?:\.\w+)* )
| (?P<keyword> (?<![\w.])(?:module|func\.func|return|public|private|attributes|cond|do|init|applies|across
    |tensor|memref|vector|tuple|dense)\b | -> )
| (?P<number> (?<![\w.])-?(?:0x[0-9A-F]+|\d[\d.]*(?:[eE][+-]?\d+)?)\b | \b(?:true|false)\b )
"""

GRAMMAR = Grammar(
    name=r"%[A-Za-z0-9_.$#-]+",
    word=r'"(?:[^"\\\n]|\\.)*"\(?|[ ]?[^\s"]+(?: =)?',
    token=_TOKEN,
    before=r"(?P<definition>\n *)",
)
