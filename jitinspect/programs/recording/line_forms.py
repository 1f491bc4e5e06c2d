"""The lines that a recorder writes most, as patterns of bytes: what they match is whole lines.

All of it is valid JSON but for the texts of a compilation, which are the same in very many lines, and decoded
once: they are valid if a line that was decoded had these bytes between the same keys. A match never ends in a
string, because in valid JSON `,"began":` stands in none.
"""

from __future__ import annotations

import re

_PARTS = {
    "text": r'"[^"]*+"',
    "plain": r'"[^"\\\x00-\x1f]*+"',
    "float": r"(?:0|[1-9][0-9]*+)\.[0-9]++(?:e-[0-9]++)?",
    "int": r"(?:0|[1-9][0-9]{0,18}+)",
    "bool": r"(?:true|false)",
    "more": r'(?:,(?=")|(?=\}))',
}
_WHAT = r'"phase":"(?:trace|lower|compile)","function":<plain>'
_START = rf'tart",{_WHAT},"began":<float>\}}'
_SPAN = (
    rf'pan",{_WHAT},"began":<float>,"seconds":<float>,"thread":<int>,"depth":<int>,"internal":<bool>,'
    r'"disk_hit":<bool>,"process":<int>\}'
)
_STAGES = rf'(?P<stages>(?>\{{"record":"s(?>{_START}|{_SPAN})\n)*+)'
_SECONDS = (
    r'\{(?:"trace":(?P<trace><float>)<more>)?(?:"lower":(?P<lower><float>)<more>)?'
    r'(?:"compile":(?P<compile><float>))?\}'
)
_LOOKUP = (
    r'\{"entry":<plain>,"outcome":<plain>,"compile_seconds":(?:null|<float>),'
    r'"read_seconds":(?:null|<float>)\}'
)
_COMPILATION = (
    r'(?P<compilation>\{"record":"compil(?P<form>ing|ation)","seq":(?P<seq><int>),'
    r'(?P<call>"kind":<text>,"function":<text>,"definition":(?:null|<text>),'
    r'"at":(?:null|<text>),"signature":(?:null|<text>),"status":<text>),'
    rf'"began":(?P<began><float>),"ended":(?P<ended><float>),"seconds":{_SECONDS},'
    r'(?P<number>"compilations":<int>),"nearest":(?P<nearest>null|<int>),'
    r'(?P<why>"reasons":\[(?:(?:[^}\n]*+\})+?)?\],"more_differences":<int>,"avoidable":<bool>,'
    r'"raised":(?:null|<text>),"error":(?:null|<text>),"module":(?:null|<text>),"shared":<bool>,'
    r'"late":<bool>),"thread":(?P<thread><int>),"process":<int>,(?P<disk>"disk":\[[^]\n]*+\]),'
    rf'"lookups":(?P<lookups>\[(?:{_LOOKUP}(?:,{_LOOKUP})*+)?+\])\}}\n)'
)


def _compiled(pattern: str) -> re.Pattern[bytes]:
    return re.compile(re.sub("<([a-z]+)>", lambda part: _PARTS.get(part[1], part[0]), pattern).encode())


LINES = _compiled(rf"(?m:^){_STAGES}(?:{_COMPILATION})?")
"""`stages` are lines of stages that began and ended. The line of a `compilation` after them, if there is one,
has the `form` `ing` while it lasts, `ation` when it has ended. A match may be empty.
"""
STAGE = _compiled(
    r'"s(tart|pan)","phase":"(\w+)","function":"([^"]*+)","began":([^,}]++)'
    r'(?:,"seconds":([^,]++),"thread":(\d++),"depth":(\d++),"internal":(\w++),"disk_hit":(\w++))?'
)
"""For a part that `LINES` has matched."""
