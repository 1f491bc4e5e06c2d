"""The limits of `collectives`: what is within them, and what is said of what is not."""

import pytest

from jitinspect.cli.collectives import check, limits_of
from jitinspect.errors import CheckFailed, UsageError
from jitinspect.model import Target
from jitinspect.model.communication import Collective, CollectivesReport


def of_call(signature, wire_bytes=600, runs=1, kind="all-reduce"):
    row = (kind, "one.1", "net.py", 5, ("data",), 4, 512, 512, wire_bytes, runs, "user")
    return Collective(*row, counted_runs=runs or 7, lines=("net.py:5",), signature=signature)


def report(*rows):
    return CollectivesReport(
        "collectives", Target("net:f", "net", "f", "net.py", 4), rows, sum(row.moved_bytes for row in rows)
    )


def exceeded(found, exit_code=False, most="", forbid=()):
    return list(limits_of(exit_code, most, list(forbid)).exceeded(found))


def test_each_call_of_a_sweep_may_move_as_much():
    sweep = report(of_call("f(1)"), of_call("f(2)", 900))
    assert exceeded(sweep, most="900") == []
    assert exceeded(sweep, most="899B") == ["each device moves 900 B, and may move 899 B"]


def test_all_runs_that_are_counted_are():
    assert exceeded(report(of_call("f(1)", runs=None)), most="4.1kB")
    assert not exceeded(report(of_call("f(1)", runs=None)), most="4.2kB")


@pytest.mark.parametrize(
    ("text", "bytes_"), [("10MB", 10**7), ("1.5GiB", 3 * 2**29), ("2kib", 2048), ("7", 7)]
)
def test_sizes(text, bytes_):
    assert limits_of(False, text, []).bytes_moved == bytes_


def test_kinds_may_be_written_as_in_python_and_their_lines_are_told():
    rows = report(of_call("f(1)"), of_call("f(1)", kind="all-gather"), of_call("f(1)", kind="all-gather"))
    assert exceeded(rows, forbid=["all_gather,reduce-scatter"]) == ["there are 2 all-gathers at net.py:5"]
    assert exceeded(rows, exit_code=True, forbid=["send"]) == [], "anything else may move"


def test_without_a_limit_nothing_may_move_if_the_exit_code_tells():
    with pytest.raises(CheckFailed, match="the program has 1 collective"):
        check(report(of_call("f(1)")), limits_of(True, "", []))
    check(report(), limits_of(True, "", []))
    check(report(of_call("f(1)")), limits_of(False, "", []))


@pytest.mark.parametrize(("most", "forbid"), [("much", []), ("", ["all-gathers"]), ("-1", [])])
def test_what_is_no_limit(most, forbid):
    with pytest.raises(UsageError):
        limits_of(True, most, forbid)
