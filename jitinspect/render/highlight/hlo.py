"""HLO text, as of `Compiled.as_text()` and, with bare names, `Lowered.as_text("hlo")` (jax 0.10.2, 0.12.0.1)."""

from __future__ import annotations

from jitinspect.render.highlight.engine import Grammar

_WORD = r'"(?:[^"\\\n]|\\.)*"|/\*.*?\*/|[ ]?[^\s"]+'
_TOKEN = r"""
  (?P<string> "(?:[^"\\\n]|\\.)*" )
| (?P<unfinished> "[^\n]* )
| (?P<comment> /\*.*?\*/ | //[^\n]* )
| (?P<dtype> \b(?:pred|[suf]\d+\w*|bf16|c64|c128|token|opaque)(?=\[) )
| (?P<shape> (?<=\w)\[[\d,<=?]*\] )
| (?P<location> (?<=\])\{[\d,]*(?::[^{}\s]*)?\}
  | \bmetadata(?==) | \bstack_frame_id=\d+ | \bsource_\w+=\d*
  | ^(?:FileNames|FunctionNames|FileLocations|StackFrames)\b )
| (?P<symbol> (?:(?<=to_apply=)|(?<=calls=))[A-Za-z_][\w.-]* | ^[A-Za-z_][\w.-]*(?=\ \{) )
| (?P<attribute> [A-Za-z_]\w*(?==) )
| (?P<keyword> \b(?:HloModule|ENTRY|ROOT)\b | -> )
| (?P<op> [a-z][\w-]*(?=\() )
| (?P<number> (?<![\w.])-?(?:\d[\w.]*(?:(?<=e)[+-]\d+)?|inf|nan)\b | \b(?:true|false)\b )
"""
_BEFORE = r"(?P<definition>\n *(?:ROOT )?)|(?P<symbol>=|\n\n|ENTRY )"

WITH_SIGILS = Grammar(r"%[A-Za-z0-9_.-]+(?: \([^\n<>&\"-]*)?", _WORD, _TOKEN, _BEFORE)
BARE = Grammar(r"[ (](?!ROOT )[A-Za-z_][\w-]*+\.\d[\w.-]*+", _WORD, _TOKEN)


def grammar(text: str) -> Grammar:
    """Which of the two forms `text` has."""
    return WITH_SIGILS if "\n%" in text or "\nENTRY %" in text or "  %" in text[:4096] else BARE
