"""jaxprs, as of `str(traced.jaxpr)` (jax 0.10.2, 0.12.0.1), and signatures such as `f(f32[8], i32[])`."""

from __future__ import annotations

from jitinspect.render.highlight.engine import Grammar

_TOKEN = r"""
  (?P<string> "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*' | <(?:function|class|bound|built-in|object)\b[^>\n]*> )
| (?P<unfinished> ["'][^\n]* | <(?:function|class|bound|built-in|object)\b[^>\n]* )
| (?P<dtype> \b(?:bool|bf16|key<\w+>|float0|(?:f|i|u|c|float|int|uint|complex|bfloat)\d\w*)(?=\[)
  | (?<==)(?:bool|(?:float|u?int|complex|bfloat)\d\w*)\b )
| (?P<shape> (?<=[\w>])\[[^][\s=]*\] )
| (?P<attribute> [A-Za-z_]\w*(?==) )
| (?P<symbol> (?:(?<=\blet\ )|(?<=\bname=)|(?<=jaxpr=))[A-Za-z_]\w* )
| (?P<keyword> (?<![\w=<.])(?:lambda|let|in)\b )
| (?P<op> (?<=\ =\ )[a-z_][\w-]* | (?<![\w=(<.])[a-z_][\w-]*(?=\[) )
| (?P<name> (?<=\()[a-z_]+(?=[,)]) )
| (?P<number> (?<![\w.])-?\d+(?:\.\d*)?(?:e[+-]?\d+)?\b | (?<![\w.])(?:None|True|False)\b )
"""

GRAMMAR = Grammar(
    # Not the operation behind ` = `, nor the words `lambda`, `let` and `in`; but `in` may be a variable, too.
    name=r" (?<![=.}] )(?!in \(|lambda )[a-z_]++(?=[:,)\n]| (?!=))",
    word=r""""(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|<\w+ [^>\n]*>|let \w+(?= = )|(?: =)?[ ]?[^\s"'<]+""",
    token=_TOKEN,
)
