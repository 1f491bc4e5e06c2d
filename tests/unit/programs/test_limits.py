"""Limits and lock files: what holds, what does not, and what is said of it."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitinspect.errors import LoadError, UsageError
from jitinspect.programs import lockfile
from jitinspect.programs.limits import (
    MOST_CAUSES,
    Limits,
    MostCompiles,
    Warmup,
    causes,
    check_limits,
    parse_most_compiles,
    parse_warmup,
)
from tests.unit.made import FIRST, SHAPE, WHERE, compilation, histories, report

FIRST_CALL = compilation(0)
AGAIN = compilation(1, at="train.py:20", signature="step(f32[4])", reasons=(SHAPE,))
OTHER = compilation(2, function="evaluate", definition="train.py:8", at="train.py:30")
RUN = report(FIRST_CALL, AGAIN, OTHER)


def check(told=RUN, late=(), reached=True, **limits):
    (one,) = check_limits(Limits(**limits), told, late, reached)
    return one


@pytest.mark.parametrize(
    ("text", "function", "number"),
    [("12", None, 12), (" 0 ", None, 0), ("step=1", "step", 1), (" step = 03 ", "step", 3),
     ("<lambda>=2", "<lambda>", 2)],
)  # fmt: skip
def test_a_number_of_compilations_is_that_of_all_or_of_one_function(text, function, number):
    assert parse_most_compiles(text) == MostCompiles(function, number)


@pytest.mark.parametrize("text", ["", " ", "step", "=1", " =1", "step=", "-1", "step=-1", "1.5", "1e3", "²"])
def test_what_is_no_number_of_compilations_is_refused(text):
    with pytest.raises(UsageError, match="--max-compiles") as caught:
        parse_most_compiles(text)
    assert "step=1" in caught.value.hint


@given(st.integers(0, 10**9))
def test_numbers_are_read_as_they_are_written(number):
    assert parse_most_compiles(str(number)) == MostCompiles(None, number)
    assert parse_most_compiles(f"f={number}") == MostCompiles("f", number)
    assert parse_warmup(f"{number} calls") == parse_warmup(str(number)) == Warmup(calls=number)


@pytest.mark.parametrize(
    ("text", "warmup"),
    [("10 calls", Warmup(10)), ("1 call", Warmup(1)), ("10calls", Warmup(10)), (" 0 ", Warmup(0)),
     ("warm", Warmup(marker="warm")), (" all warm ", Warmup(marker="all warm")),
     ("10 callers", Warmup(marker="10 callers"))],
)  # fmt: skip
def test_a_warmup_is_a_number_of_calls_or_a_marker(text, warmup):
    assert parse_warmup(text) == warmup


@pytest.mark.parametrize("text", ["", "  ", "\n"])
def test_a_warmup_of_nothing_is_refused(text):
    with pytest.raises(UsageError, match="--warmup"):
        parse_warmup(text)


def test_no_limits_are_no_checks():
    assert list(check_limits(Limits(), RUN, (), True)) == []


def test_every_limit_is_checked_in_its_order():
    asked = Limits((MostCompiles(None, 3), MostCompiles("step", 2)), 60.0, True)
    told = [one.limit for one in check_limits(asked, RUN, (), True)]
    assert told == ["--max-compiles 3", "--max-compiles step=2", "--max-compile-seconds 60",
                    "--fail-on-recompile"]  # fmt: skip


@pytest.mark.parametrize(
    ("function", "number", "held"),
    [(None, 3, True), (None, 2, False), ("step", 2, True), ("step", 1, False), ("evaluate", 1, True)],
)
def test_compilations_are_held_to_their_number(function, number, held):
    told = check(most_compiles=(MostCompiles(function, number),))
    assert told.held is held and (told.why == () or not held)


def test_what_is_too_much_is_told_with_place_and_cause():
    told = check(most_compiles=(MostCompiles("step", 1),))
    assert told.why == (
        "2 compilations of step",
        "train.py:12: step(f32[3]): first call of step (0.75 s)",
        "train.py:20: step(f32[4]): x: f32[3] → f32[4] (0.75 s)",
    )
    assert told.at == "train.py:20"
    assert check(report(OTHER), most_compiles=(MostCompiles(None, 0),)).why[0] == "1 compilation"
    assert check(report(OTHER), most_compiles=(MostCompiles(None, 0),)).at == "train.py:30"


def test_compilations_that_are_not_listed_count(monkeypatch):
    monkeypatch.setattr("jitinspect.programs.summary.MOST_KEPT", 1)
    told = check(report(FIRST_CALL, AGAIN, OTHER), most_compiles=(MostCompiles(None, 2),))
    assert not told.held and told.why[0] == "3 compilations"


def test_a_recompile_that_is_not_listed_is_one(monkeypatch):
    monkeypatch.setattr("jitinspect.programs.summary.MOST_KEPT", 1)
    assert not check(report(FIRST_CALL, AGAIN), fail_on_recompile=True).held


@pytest.mark.parametrize(("name", "hint"), [("stepp", "; did you mean step?"), ("zzz", "")])
def test_a_function_that_was_never_compiled_is_said_to_be_none(name, hint):
    told = check(most_compiles=(MostCompiles(name, 1),))
    assert told.held and told.why == (f"no function {name} was compiled{hint}",)


@pytest.mark.parametrize(("seconds", "held"), [(2.25, True), (2.2, False), (0.0, False)])
def test_seconds_are_held_to_their_sum(seconds, held):
    told = check(most_seconds=seconds)
    assert told.held is held and told.limit == f"--max-compile-seconds {seconds:g}"
    assert held or told.why[0] == "2.25 s were spent on tracing, lowering and compiling"
    assert held or len(told.why) == 4


def test_a_recompile_is_what_was_compiled_before():
    assert check(report(FIRST_CALL, OTHER), fail_on_recompile=True).held
    told = check(fail_on_recompile=True)
    assert not told.held and told.at == "train.py:20"
    assert told.why == ("1 recompile", "train.py:20: step(f32[4]): x: f32[3] → f32[4] (0.75 s)")


def test_what_was_traced_again_and_not_compiled_is_no_recompile():
    assert check(report(FIRST_CALL, replace(AGAIN, compilations=0)), fail_on_recompile=True).held


@pytest.mark.parametrize(
    ("warmup", "when"), [(Warmup(calls=10), "10 calls"), (Warmup(marker="warm"), "mark('warm')")]
)
def test_after_a_warmup_any_compilation_is_one_too_many(warmup, when):
    assert check(fail_on_recompile=True, warmup=warmup).held
    told = check(late=(OTHER,), fail_on_recompile=True, warmup=warmup)
    assert not told.held and told.at == "train.py:30"
    late = "train.py:30: step(f32[3]): first call of step (0.75 s)"
    assert told.why == (f"1 compilation after {when}", late)


def test_a_marker_that_was_never_reached_does_not_hold():
    told = check(reached=False, fail_on_recompile=True, warmup=Warmup(marker="warm"))
    assert not told.held and told.why == ("the program never reached jitinspect.mark('warm')",)
    assert check(reached=False, fail_on_recompile=True, warmup=Warmup(calls=3)).held


def test_of_many_causes_the_first_are_told():
    many = [compilation(seq) for seq in range(MOST_CAUSES)]
    assert len(list(causes(many))) == MOST_CAUSES
    assert list(causes([*many, FIRST_CALL, FIRST_CALL]))[MOST_CAUSES:] == ["and 2 more"]
    assert list(causes([replace(FIRST_CALL, compilations=0)])) == []


def test_a_cause_says_what_is_known():
    bare = compilation(kind="ahead_of_time", at=None, signature=None, reasons=())
    assert list(causes([bare])) == ["train.py:3: step: ahead of time (0.75 s)"]
    assert list(causes([replace(bare, definition=None)])) == ["?: step: ahead of time (0.75 s)"]


LOCKED = {"train.py:evaluate": {"step(f32[3])": 1}, "train.py:step": {"step(f32[3])": 1, "step(f32[4])": 1}}


def lock_check(before, *compilations):
    return lockfile.check("compiles.lock", before, lockfile.lock_contents(compilations), compilations)


def test_a_lock_has_files_functions_and_signatures():
    assert lockfile.lock_contents([FIRST_CALL, AGAIN, OTHER]) == LOCKED
    anonymous = compilation(definition=None, signature=None, compilations=2)
    assert lockfile.lock_contents([anonymous, anonymous]) == {"step": {"step": 4}}
    assert lockfile.lock_contents([replace(AGAIN, compilations=0)]) == {}


@given(histories)
def test_a_lock_that_is_written_is_read_back(tmp_path_factory, compilations):
    path = tmp_path_factory.getbasetemp() / "round.lock"
    found = lockfile.lock_contents(compilations)
    path.write_text(lockfile.to_text(found), encoding="utf-8")
    assert lockfile.read(path) == found
    told = lockfile.check(path, lockfile.read(path), found, compilations)
    assert told.held and told.why == () and told.limit == f"--lock {path}"


@given(histories)
def test_the_order_of_compilations_is_not_in_the_lock(compilations):
    there, back = map(lockfile.lock_contents, (compilations, compilations[::-1]))
    assert lockfile.to_text(there) == lockfile.to_text(back)


def test_a_lock_is_text_that_diffs_well():
    assert lockfile.to_text(LOCKED).splitlines()[2:4] == ['  "train.py:evaluate": {', '   "step(f32[3])": 1']
    assert lockfile.to_text(LOCKED).endswith("}\n")


def test_line_numbers_are_not_in_the_lock():
    moved = [replace(one, definition="train.py:99", at="train.py:98") for one in (FIRST_CALL, AGAIN)]
    told = lock_check(lockfile.lock_contents([FIRST_CALL, AGAIN]), *moved)
    assert told.held and told.why == ()


def test_what_is_new_fails_and_is_told_with_its_cause():
    told = lock_check(lockfile.lock_contents([FIRST_CALL]), FIRST_CALL, AGAIN)
    assert not told.held and told.at == "train.py:20"
    assert told.why == ("new: step(f32[4])  (train.py) at train.py:20: x: f32[3] → f32[4]",)


def test_what_is_gone_is_told_and_holds():
    told = lock_check(LOCKED, FIRST_CALL, AGAIN)
    assert told.held and told.why == ("gone: step(f32[3])  (train.py)",) and told.at is None


def test_a_count_that_grew_is_new_by_the_difference():
    told = lock_check(
        lockfile.lock_contents([FIRST_CALL]), *[replace(FIRST_CALL, seq=seq) for seq in range(4)]
    )
    assert not told.held and told.at == WHERE
    assert told.why == (f"new: 3 × step(f32[3])  (train.py) at {WHERE}: {FIRST.text}",)
    told = lock_check(lockfile.lock_contents([FIRST_CALL] * 3), FIRST_CALL)
    assert told.held and told.why == ("gone: 2 × step(f32[3])  (train.py)",)


def test_the_same_function_in_another_file_is_new():
    elsewhere = replace(FIRST_CALL, definition="model.py:3")
    told = lock_check(lockfile.lock_contents([FIRST_CALL]), elsewhere)
    assert not told.held and [line.split(":")[0] for line in told.why] == ["new", "gone"]


def test_a_place_that_is_not_known_is_not_told():
    told = lock_check({}, compilation(at=None))
    assert "None" not in told.why[0]


DAMAGED = ["", "not json", "[]", "3", "null", "{}", '{"schema": 1}', '{"schema": 1, "functions": []}',
           '{"schema": 1, "functions": {"f": 3}}', '{"schema": 1, "functions": {"f": {"g": "x"}}}',
           '{"schema": 1, "functions": {"f": {"g": null}}}']  # fmt: skip


@pytest.mark.parametrize("text", DAMAGED)
def test_a_damaged_lock_is_told_as_that(tmp_path, text):
    (tmp_path / "a.lock").write_text(text)
    with pytest.raises(LoadError, match=r"a\.lock is not a jitinspect lock file"):
        lockfile.read(tmp_path / "a.lock")


@pytest.mark.parametrize("text", ['{"schema": 1, "functions": {"f": {"g": 1e999}}}', "[" * 100_000])
def test_a_lock_of_extremes_is_told_as_damaged(tmp_path, text):
    (tmp_path / "a.lock").write_text(text)
    with pytest.raises(LoadError):
        lockfile.read(tmp_path / "a.lock")


def test_a_lock_that_is_no_text_is_none(tmp_path):
    (tmp_path / "a.lock").write_bytes(b"\xff\xfe")
    with pytest.raises(LoadError, match="not a jitinspect lock file"):
        lockfile.read(tmp_path / "a.lock")


def test_a_lock_of_another_schema_or_none_is_told_as_that(tmp_path):
    (tmp_path / "a.lock").write_text(json.dumps({"schema": 2, "functions": {}}))
    with pytest.raises(LoadError, match="has schema 2, this jitinspect reads 1"):
        lockfile.read(tmp_path / "a.lock")
    with pytest.raises(LoadError, match="cannot be read: No such file"):
        lockfile.read(tmp_path / "b.lock")
