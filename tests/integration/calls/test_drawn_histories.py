"""Histories built from known causes, and what the watch of whole programs says of each.

Each Python has histories of its own, `JITINSPECT_HISTORIES` in all (1,500 where it is not set).
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.histories.drawn import can_be_avoided, history

ROOT = Path(__file__).resolve().parent.parent.parent.parent
COUNT = int(os.environ.get("JITINSPECT_HISTORIES", "1500"))
FIRST = 0 if sys.version_info < (3, 12) else COUNT


@pytest.fixture(scope="module")
def judged():
    """For each number what was said of its last call, and what the advised program did."""
    command = [sys.executable, "-m", "tests.support.histories.judge", str(FIRST), str(FIRST + COUNT)]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    batches = json.loads(finished.stdout)
    assert not [batch for batch in batches if isinstance(batch, str)], batches
    return {one["number"]: one for batch in batches for one in batch}


def reasons(judgement):
    return [reason for compilation in judgement["said"] for reason in compilation["reasons"]]


def is_told(cause, judgement):
    return any(_agrees(cause, reason) for reason in reasons(judgement))


def _agrees(cause, reason):
    parts = [(cause.before, reason["before"]), (cause.now, reason["now"])]
    same = cause.kind == reason["kind"] and cause.where in (None, reason["where"])
    return same and all(part is None or part in str(whole) for part, whole in parts)


def check(judged, is_wrong):
    """No history is wrong: shows the first ones that are."""
    wrong = [number for number, one in judged.items() if is_wrong(history(number), one)]
    shown = [(history(number), reasons(judged[number]), judged[number]["advised"]) for number in wrong[:5]]
    assert not wrong, f"{len(wrong)} of {len(judged)}: " + "\n\n".join(map(str, shown))


def test_all_were_judged(judged):
    assert len(judged) == COUNT
    assert all(one["compiled"] for one in judged.values()), "each history's last call compiles"


def test_each_compilation_is_the_programs_and_has_a_reason(judged):
    def is_wrong(drawn, judgement):
        counted = sum(one["compilations"] for one in judgement["said"])
        return counted != judgement["compiled"] or not all(one["reasons"] for one in judgement["said"])

    check(judged, is_wrong)


def test_the_true_causes_are_told(judged):
    check(judged, lambda drawn, one: not all(is_told(cause, one) for cause in drawn.causes))


def test_no_other_cause_is_told(judged):
    def is_wrong(drawn, judgement):
        kinds = [reason["kind"] for reason in reasons(judgement) if reason["kind"] not in drawn.also]
        return len(kinds) > len(drawn.causes)

    check(judged, is_wrong)


def test_what_is_called_avoidable_is_avoided_with_the_same_result(judged):
    def is_wrong(drawn, judgement):
        called = any(one["avoidable"] for one in judgement["said"])
        advised = judgement["advised"]
        return called and not (advised and advised["same"] and not advised["compiled"])

    check(judged, is_wrong)


def test_what_can_be_avoided_is_called_avoidable(judged):
    def is_wrong(drawn, judgement):
        return can_be_avoided(drawn) and not all(one["avoidable"] for one in judgement["said"])

    check(judged, is_wrong)
