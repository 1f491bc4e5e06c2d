"""Compilations added up, by function, by line and by cause."""

from collections import Counter, defaultdict
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from jitinspect.model import Work
from jitinspect.model.runs import DiskUse
from jitinspect.programs import summary
from jitinspect.programs.summary import EXAMPLES, SLOWEST, Summary, reasons_text
from tests.unit.made import FIRST, SHAPE, WHERE, compilation, histories, reason, report, span

STEP = ("step", "train.py:3")
SUMS = ("compilations", "disk_hits", "trace_seconds", "lower_seconds", "compile_seconds", "avoidable")


def own(compilations):
    return [one for one in compilations if one.kind != "internal"]


def sums_by(key, compilations):
    found = defaultdict(lambda: (0, 0, 0.0))
    for one in own(compilations):
        number, disk, spent = found[key(one)]
        found[key(one)] = (number + one.compilations, disk + (one.status == "DISK"), spent + one.spent)
    return found


@given(histories)
def test_totals_are_the_sums_of_what_was_compiled(compilations):
    totals = report(*compilations).totals
    (told,) = sums_by(lambda one: "", compilations).values() or [(0, 0, 0.0)]
    assert (totals.compilations, totals.disk_hits, totals.seconds) == told
    needless = [one for one in own(compilations) if one.avoidable]
    assert totals.avoidable == sum(one.compilations for one in needless)
    assert totals.avoidable_seconds == sum(one.spent for one in needless)


@given(histories)
def test_functions_and_sites_are_the_sums_of_theirs(compilations):
    told = report(*compilations)
    functions = {
        (one.function, one.definition): (one.compilations, one.disk_hits, one.seconds)
        for one in told.functions
    }
    sites = {
        (one.at, one.function, one.definition): (one.compilations, one.disk_hits, one.seconds)
        for one in told.sites
    }
    assert functions == sums_by(lambda one: (one.function, one.definition), compilations)
    assert sites == sums_by(lambda one: (one.at, one.function, one.definition), compilations)
    for name in (*SUMS, "avoidable_seconds"):
        assert getattr(told.totals, name) == sum(getattr(one, name) for one in told.functions)


@given(histories.flatmap(lambda drawn: st.tuples(st.just(drawn), st.permutations(drawn))))
def test_the_order_of_compilations_changes_no_sum(both):
    first, second = (report(*compilations) for compilations in both)
    assert first.totals == second.totals and first.internal == second.internal
    assert set(first.functions) == set(second.functions)
    assert [one.seq for one in first.slowest] == [one.seq for one in second.slowest]
    assert _causes(first) == _causes(second)


def _causes(told):
    return Counter(
        (site.at, site.function, cause.kind, cause.where, cause.count, cause.seconds)
        for site in told.sites
        for cause in site.causes
    )


@given(histories)
def test_what_costs_most_stands_first(compilations):
    told = report(*compilations)
    for listed in (told.functions, told.sites, *(site.causes for site in told.sites)):
        costs = [one.seconds for one in listed]
        assert costs == sorted(costs, reverse=True)
    spent = sorted((one.spent for one in own(compilations)), reverse=True)
    assert [one.spent for one in told.slowest] == spent[:SLOWEST]


def test_of_equally_slow_ones_the_first_are_told():
    told = report(*map(compilation, range(20)))
    assert [one.seq for one in told.slowest] == list(range(SLOWEST))


def test_compilations_of_several_processes_may_be_the_same_in_number_and_time():
    told = report(compilation(process=0), compilation(process=1))
    assert len(told.slowest) == 2


def test_beyond_the_most_only_the_lists_end(monkeypatch):
    monkeypatch.setattr(summary, "MOST_KEPT", 4)
    told = report(*(compilation(seq, late=True) for seq in range(7)), spans=[span()] * 20)
    assert [one.seq for one in told.compilations] == [0, 1, 2, 3] and told.omitted == 3
    assert len(told.spans) == 12
    assert told.totals.compilations == told.functions[0].compilations == told.sites[0].compilations == 7
    assert told.totals.seconds == 7 * 0.75 and told.sites[0].causes[0].count == 7
    exact = report(*map(compilation, range(4)), spans=[span()] * 12)
    assert exact.omitted == 0 and len(exact.compilations) == 4 and len(exact.spans) == 12


def test_the_late_ones_are_kept_apart_and_bounded(monkeypatch):
    monkeypatch.setattr(summary, "MOST_KEPT", 2)
    taken = Summary()
    for seq in range(6):
        taken.take(compilation(seq, late=seq > 2))
    assert [one.seq for one in taken.late] == [3, 4]


def test_work_of_jaxs_own_stands_apart():
    inner = compilation(0, kind="internal", function="add", compilations=2, late=True)
    told = report(inner, inner)
    assert told.internal == Work(4, 1.5)
    assert (told.totals.compilations, told.totals.seconds) == (0, 0.0)
    assert told.functions == told.sites == told.slowest == told.compilations == ()


def recompiles():
    """A first call, six of other shapes of `x`, two of another `y`."""
    yield compilation(0)
    for size in range(6):
        yield compilation(size + 1, reasons=(reason(text=f"x: f32[3] → f32[{size // 2}]"),), avoidable=True)
    for seq in (7, 8):
        yield compilation(seq, reasons=(replace(SHAPE, where="y"),), seconds={"compile": 4.0})


def test_causes_are_told_by_kind_and_place():
    (site,) = report(*recompiles()).sites
    told = [(cause.kind, cause.where, cause.count, cause.seconds) for cause in site.causes]
    assert told == [("shape", "y", 2, 8.0), ("shape", "x", 6, 4.5), ("first_call", None, 1, 0.75)]
    assert [cause.avoidable for cause in site.causes] == [False, True, False]
    assert [cause.hint for cause in site.causes] == [SHAPE.hint, None, None]


def test_a_cause_has_a_few_examples_no_two_alike():
    (site,) = report(*recompiles()).sites
    assert site.causes[0].examples == (SHAPE.text,)
    assert site.causes[1].examples == tuple(f"x: f32[3] → f32[{size}]" for size in range(EXAMPLES))
    assert site.causes[1].text == site.causes[1].examples[0]


def test_another_order_of_reasons_is_another_cause_and_all_count():
    two, other = reason("dtype", "y", "dtype"), reason(text="shape")
    (site,) = report(compilation(0, reasons=(other, two)), compilation(1, reasons=(other,))).sites
    assert {(cause.text, cause.count) for cause in site.causes} == {("shape, dtype", 1), ("shape", 1)}


def test_lines_and_functions_have_causes_of_their_own():
    again = {"reasons": (SHAPE,)}
    told = report(
        compilation(0, **again), compilation(1, at="a.py:1", **again), compilation(2, function="g", **again)
    )
    assert {(site.at, site.function) for site in told.sites} == {
        (WHERE, "step"), ("a.py:1", "step"), (WHERE, "g"),
    }  # fmt: skip
    assert all([cause.count for cause in site.causes] == [1] for site in told.sites)


def test_what_was_only_traced_has_a_cost_and_no_cause():
    traced = compilation(status="TRACED", compilations=0, seconds={"trace": 2.0})
    (site,) = report(traced).sites
    assert (site.compilations, site.seconds, site.causes) == (0, 2.0, ())
    read = compilation(status="DISK", compilations=0)
    (site,) = report(read).sites
    assert (site.compilations, site.disk_hits, len(site.causes)) == (0, 1, 1)


def test_of_many_reasons_the_first_few_are_told():
    many = tuple(reason(text=text) for text in "abacde")
    assert reasons_text(compilation(reasons=many)) == "a, b, c (+2 more)"
    assert reasons_text(compilation(reasons=many[:4])) == "a, b, c"
    assert reasons_text(compilation(reasons=())) == ""


def test_calls_are_told_where_they_were_counted():
    told = report(compilation(0), compilation(1, at="b.py:1"), calls={STEP: {WHERE: 7, "b.py:1": 2}})
    (function,) = told.functions
    assert (function.calls, function.hits, told.totals.calls) == (9, 7, 9)
    assert {site.at: site.calls for site in told.sites} == {WHERE: 7, "b.py:1": 2}
    uncounted = report(compilation(0))
    assert uncounted.functions[0].calls is uncounted.functions[0].hits is uncounted.totals.calls is None
    assert uncounted.sites[0].calls is None


def test_hits_are_calls_that_found_all_they_needed():
    backward = compilation(1, kind="backward", reasons=())
    told = report(compilation(0), backward, compilation(2, kind="ahead_of_time"), calls={STEP: {WHERE: 3}})
    assert told.functions[0].hits == 2


def test_there_are_never_less_than_no_hits():
    told = report(compilation(0), compilation(1), calls={STEP: {WHERE: 1}})
    assert told.functions[0].hits == 0
    assert report(compilation(0), calls={}).functions[0].calls == 0


def test_a_call_that_raised_is_no_hit():
    failed = compilation(status="TRACED", compilations=0, raised="trace", error="ValueError")
    assert report(failed, calls={STEP: {WHERE: 1}}).functions[0].hits == 0


def test_functions_of_one_name_called_at_one_line_are_all_counted():
    both = [compilation(n, function="<lambda>", definition=f"train.py:{n}") for n in range(2)]
    counted = {("<lambda>", f"train.py:{n}"): {WHERE: 5} for n in range(2)}
    assert sum(site.calls for site in report(*both, calls=counted).sites) == 10


def test_a_function_that_never_compiled_was_hit_by_every_call():
    told = report(compilation(0), calls={STEP: {WHERE: 1}, ("g", None): {"a.py:1": 3, None: 2}})
    assert [one.function for one in told.functions] == ["step", "g"]
    assert (told.functions[1].calls, told.functions[1].hits, told.functions[1].compilations) == (5, 5, 0)
    assert told.totals.calls == 6


def test_how_the_program_ended_is_in_its_report():
    told = report(compilation(0, reasons=(FIRST,)), wall=3.0, exit_code=2, stopped="interrupted")
    assert (told.program, told.totals.wall_seconds, told.exit_code) == ("train.py", 3.0, 2)
    assert told.stopped == "interrupted" and told.command == "run"


def test_what_was_written_to_disk_is_counted_and_what_was_not_by_reason():
    told = report(
        compilation(0, disk=("written",)), compilation(1, disk=("fast", "written")),
        compilation(2, disk=("small",)), compilation(3, disk=("fast",)), compilation(4, kind="internal",
        disk=("written", "fast")), folder="/cache",
    )  # fmt: skip
    assert told.disk == DiskUse("/cache", 2, {"fast": 2, "small": 1}, 1)
    assert report(compilation(0), folder="/cache").disk is None
