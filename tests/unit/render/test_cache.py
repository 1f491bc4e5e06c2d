"""The reports of `cache` as text, and as JSON and back."""

import pytest

from jitinspect.model.cache import (
    CacheContents,
    CacheEntry,
    CacheReport,
    CacheTotals,
    PrunedEntry,
    PruneReport,
)
from jitinspect.render.cache import render
from jitinspect.render.json import from_json, to_json

KEY = "0123456789abcdef" * 4
TPU = "it is for tpu, and there is no TPU here"


def entry(module="jit_step", bytes_=5780, age=3 * 86400.0, seconds=2, **more):
    known = {
        "platform": "cpu", "loadable": True, "source": "/a/train.py:8", "function": "step", "key": KEY,
        "compression": "zlib", "expanded_bytes": 9000, "built_for": "znver2 (x86_64)",
    } | more  # fmt: skip
    file = f"{module}-{known['key']}-cache" if known["key"] else f"{module}-cache"
    return CacheEntry(file, module, bytes_, age, seconds, **known)


FOREIGN = entry("jit_loss", platform="tpu", loadable=False, why_not=TPU, source=None, function=None)
DAMAGED = entry(
    "jit_cut", state="damaged", loadable=False, why_not="it is cut off", seconds=None, platform=None
)
YOUNG = entry(
    "jit_new", 0, 0.2, None, state="unfinished", loadable=None, why_not="it is empty", platform=None
)


def report(*entries, command="cache ls", whole=None, others=(), notes=()):
    totals = CacheTotals(len(entries), sum(one.bytes for one in entries))
    return CacheReport(command, CacheContents("/c", entries, totals, whole or totals, others), notes)


def shown(made, width=80, color=False, verbose=False):
    return "".join(render(made, color, width, verbose)).splitlines()


def test_a_row_an_entry_then_the_sums_then_what_is_wrong():
    assert shown(report(entry(), FOREIGN, DAMAGED, YOUNG)) == [
        "   size  age  compiled  loads       for  module    line",
        "5.78 kB  3 d       2 s  yes         cpu  jit_step  /a/train.py:8",
        "5.78 kB  3 d       2 s  no          tpu  jit_loss",
        "5.78 kB  3 d         ?  damaged     ?    jit_cut   /a/train.py:8",
        "    0 B  now         ?  unfinished  ?    jit_new   /a/train.py:8",
        "",
        "4 entries · 17.3 kB",
        f"jit_loss-01234567…: {TPU}",
        "jit_cut-01234567…: it is cut off",
        "jit_new-01234567…: it is empty",
    ]


def test_a_fault_of_many_is_told_once_and_verbose_names_all():
    many = [entry(f"jit_f{at}", loadable=False, why_not=TPU) for at in range(5)]
    assert shown(report(*many), 200)[-1] == (
        f"jit_f0-01234567…, jit_f1-01234567…, jit_f2-01234567… (+2 more): {TPU}"
    )
    lines = shown(report(*many), verbose=True)
    assert lines[-1].count(f"-{KEY}-cache") == 5 and "znver2 (x86_64)" in lines[1]


def test_the_last_use_has_a_column_where_any_is_known():
    header, row, other, *_ = shown(report(entry(used_seconds=7200.0, seconds=0), entry("jit_b")))
    assert header.split()[:4] == ["size", "age", "used", "compiled"]
    assert "  2 h     < 1 s  " in row and "    ?       2 s  " in other


@pytest.mark.parametrize("width", [80, 60, 40])
def test_no_line_is_wider_than_the_terminal(width):
    long = entry("jit_" + "long" * 20, source="/very/" + "deep/" * 20 + "train.py:8")
    assert max(map(len, shown(report(long, FOREIGN), width))) <= max(width, 58)


def test_part_of_a_folder_and_other_files():
    made = report(entry(), whole=CacheTotals(1234, 10**9), others=("a", "b"))
    assert shown(made)[-1] == "1 of 1,234 entries · 5.78 kB of 1.00 GB · 2 other files"
    assert shown(report()) == ["0 entries · 0 B"]


def test_names_of_files_cannot_paint_the_terminal():
    lines = shown(report(entry("jit_\x1b[31mred", key="", state="damaged", why_not="it is cut off")))
    assert "\x1b" not in "".join(lines) and r"\x1b[31mred" in lines[-1]


def test_verify_shows_what_could_not_be_opened():
    made = report(entry(), FOREIGN, DAMAGED, YOUNG, command="cache verify")
    lines = shown(made)
    assert "4 entries · 1 opened by JAX · 1 damaged · 1 foreign · 1 being written" in lines
    assert not any("jit_step" in line for line in lines)
    assert any("jit_step" in line for line in shown(made, verbose=True))
    assert shown(report(entry(), command="cache verify")) == ["1 entry · 1 opened by JAX"]


def pruned(outcome="would_go", reason="least recently used"):
    return PrunedEntry(f"jit_step-{KEY}-cache", "jit_step", 5780, 60.0, None, reason, outcome)


def prune_report(*rows, dry_run=True):
    return PruneReport("cache prune", "/c", dry_run, rows, CacheTotals(1, 5780), CacheTotals(2, 100))


def test_prune_says_what_would_go_and_what_went():
    assert shown(prune_report(pruned())) == [
        "   size    age  used  entry               because",
        "5.78 kB  1 min     ?  jit_step-01234567…  least recently used",
        "",
        "1 entry would go · 5.78 kB · 2 entries left, 100 B",
        "nothing was removed; --yes does it",
    ]
    gone = shown(prune_report(pruned("removed"), pruned("changed"), dry_run=False))
    assert gone[2].endswith("stays: it has changed meanwhile")
    assert gone[-1] == "1 entry removed · 5.78 kB · 2 entries left, 100 B"


def test_colours_tell_the_damaged_from_the_foreign():
    _, fine, foreign, damaged, *_ = shown(report(entry(), FOREIGN, DAMAGED), color=True)
    assert "\x1b" not in fine and foreign.startswith("\x1b[33m") and damaged.startswith("\x1b[31m")


@pytest.mark.parametrize(
    "made",
    [
        report(entry(), FOREIGN, DAMAGED, notes=("a note",)),
        report(command="cache verify"),
        prune_report(pruned(), pruned("failed")),
    ],
)
def test_json_and_back(made):
    assert from_json(to_json(made)) == made
