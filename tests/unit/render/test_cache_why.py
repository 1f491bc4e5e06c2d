"""`cache why` as text and as JSON."""

import pytest

from jitinspect.model import Target
from jitinspect.model.cache import CacheEntry
from jitinspect.model.cache_lookups import CacheLookup, CacheWhyReport, EntryDifference, NearEntry
from jitinspect.render.cache import render
from jitinspect.render.json import from_json, to_json

FILE = f"jit_step-{'a' * 64}-cache"
ENTRY = CacheEntry(FILE, "jit_step", 3000, 60.0, compile_seconds=2, loadable=True)
TARGET = Target("train:step", "train", "step", "train.py", 3)
CERTAIN = EntryDifference("computation", "argument x", "f32[3]", None)
MAYBE = EntryDifference("computation", "operations", None, "cos", certain=False)


def report(**known):
    more = {"present": False, "alike": 1, "entries": 4, **known}
    return CacheWhyReport("cache why", TARGET, (CacheLookup("step(f32[4])", "/c", FILE, "jit_step", **more),))


REPORTS = {
    "found": (report(present=True, entry=ENTRY), ["found in /c: JAX loads it", "saves 2 s of compilation"]),
    "differs": (
        report(nearest=(NearEntry(ENTRY, (CERTAIN,), ("custom_hook",)),), obstacles=("only if it is large",)),
        ["1 of jit_step among 4 entries", "argument x  f32[3] → none", "JAX would write it\n"],
    ),
    "nothing differs": (
        report(nearest=(NearEntry(ENTRY, (), ("custom_hook",)),)),
        ["nothing that an entry shows differs", "    custom_hook", "--against FILE"],
    ),
    "maybe": (
        report(nearest=(NearEntry(ENTRY, (MAYBE,), ("custom_hook",)),)),
        ["none → cos  (maybe", "nothing else that an entry shows", "    custom_hook"],
    ),
    "damaged": (report(nearest=(NearEntry(ENTRY, why_not="cut off"),)), ["cannot be compared: cut off"]),
    "remote": (report(present=None), ["not looked for: /c is not on this machine"]),
    "none": (
        report(alike=0, entries=0, obstacles=("it is off",)),
        ["no entries", "JAX would not write it\n"],
    ),
}


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_is_a_text_and_a_document(name):
    made, wanted = REPORTS[name]
    text = "".join(render(made, color=False, width=200))
    for part in wanted:
        assert part in text
    assert from_json(to_json(made)) == made
    assert ("custom_hook" in text) == (name in ("nothing differs", "maybe"))
