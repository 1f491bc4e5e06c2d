"""Machine code, as of `objdump` and `llvm-objdump`: x86 in Intel syntax, and AArch64."""

from __future__ import annotations

from jitinspect.render.highlight.engine import Grammar

_TOKEN = r"""
  (?P<comment> ;[^\n]* | //[^\n]* | (?<!\S)\#\ [^\n]* )
| (?P<symbol> (?<=\n)[A-Za-z_.$][\w.$]*(?=:) | \.L\w+ | <[^<>\s]+> )
| (?P<location> (?<=\n)\s*[0-9a-f]+:(?!\S) | (?<!\S)(?:[0-9a-f]{2}|[0-9a-f]{8})(?!\S) )
| (?P<op> (?:(?<=\n\ \ \ \ )|(?<=\t))[a-z][\w.]* )
| (?P<name> \b(?:[re]?(?:ax|bx|cx|dx|si|di|sp|bp|ip)|[abcd][lh]|(?:si|di|sp|bp)l|r\d+[dwb]?|[xyz]mm\d+|k[0-7]|[c-gs]s
    |[xwvqdsbhz]\d+(?:\.\w+)?|[xw]zr|st\(?\d?\)?)\b )
| (?P<attribute> \b(?:BYTE|[A-Z]*WORD|PTR)\b )
| (?P<number> (?<![\w.])\#?-?\d+\b )
"""

GRAMMAR = Grammar(
    name=r"0x[0-9a-f]+",
    word=r";[^\n]*|//[^\n]*|(?:\n *|\t)?[^\s;#/]+|[ ]\# [^\n]*",
    token=_TOKEN,
    before=r"(?P<number>)",
)
