"""What got slower, and what is noise."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from jitinspect.readings.diff.times_changed import Measured, TimedPart, mean, times_changed

QUIET = (1.0, 1.01, 0.99, 1.0)
seconds = st.integers(0, 2048).map(lambda number: number / 1024)
parts = st.lists(
    st.builds(TimedPart, st.just("a"), seconds, st.integers(0, 9), st.none() | st.integers(0, 3)), max_size=8
)


def measured(*given_parts, whole=1.0, calls=QUIET, by="line", **more):
    return Measured("a call", whole, {by: given_parts}, [one * whole for one in calls], **more)


def line(number, text="y = f(x)", spent=0.5):
    return TimedPart(text, spent, (f"net.py:{number}", text), ("net.py", text), (f"net.py:{number}",))


def changes(before, after):
    (table,) = times_changed(before, after).tables
    return [(one.name, one.before, one.after, one.verdict) for one in table.changes]


@given(parts, st.sampled_from([QUIET, (), (1.0, 3.0, 2.0)]))
def test_nothing_changes_from_itself(given_parts, calls):
    unique = {part.key: part for part in given_parts}.values()
    told = times_changed(measured(*unique, calls=calls), measured(*unique, calls=calls))
    assert told.same and told.total.more == 0.0


@given(parts, parts)
def test_no_part_is_lost_or_told_twice(before, after):
    """Whatever is paired with what, all seconds of both sides are there."""
    (table,) = times_changed(measured(*before), measured(*after)).tables
    for given_parts, found in (
        (before, [one.before for one in table.changes]),
        (after, [one.after for one in table.changes]),
    ):
        assert sorted(part.seconds for part in given_parts) == sorted(one for one in found if one is not None)


@given(seconds, seconds)
def test_slower_one_way_is_faster_the_other(before, after):
    opposite = {"slower": "faster", "faster": "slower", "same": "same"}
    there = times_changed(measured(whole=before), measured(whole=after)).total
    back = times_changed(measured(whole=after), measured(whole=before)).total
    assert back.verdict == opposite[there.verdict] and back.noise == there.noise


def test_alike_calls_show_a_change_that_unlike_ones_hide():
    def verdict(calls):
        return times_changed(measured(calls=calls), measured(whole=1.3, calls=calls)).total.verdict

    assert verdict(QUIET) == "slower"
    assert verdict((0.8, 1.2, 1.0)) == "same"


def test_one_measurement_is_told_as_such():
    once = times_changed(measured(calls=()), measured(whole=1.2, calls=()))
    assert once.total.verdict == "same" and "measured once" in once.noise
    assert times_changed(measured(calls=()), measured(whole=2.5, calls=())).total.verdict == "slower"


def test_several_reports_are_samples_of_one_thing():
    reports = [measured(line(1, "a", 0.5 * n), whole=n, calls=()) for n in (1.0, 1.02, 0.98)]
    alone = replace(reports[0], parts={})
    one = mean([*reports, alone])
    assert (one.seconds, one.sampled, list(one.samples)) == (1.0, "reports", [1.0, 1.02, 0.98, 1.0])
    (part,) = one.parts["line"]
    assert part.seconds == 0.5 * 3 / 4
    assert (
        times_changed(mean(reports), mean([replace(one, seconds=1.2) for one in reports])).total.verdict
        == "slower"
    )


def test_a_small_part_may_vary_more():
    """A hundredth of the time has a tenth of the noise, which is ten times its share."""
    before = measured(line(1, "a", 0.01), line(2, "b", 0.5))
    after = measured(line(1, "a", 0.014), line(2, "b", 0.7), whole=1.0)
    assert changes(before, after) == [("b", 0.5, 0.7, "slower"), ("a", 0.01, 0.014, "same")]


def test_a_line_that_moved_is_the_same_line():
    before = measured(line(3, "a", 0.2), line(4, "b", 0.5), line(9, "c", 0.1))
    after = measured(line(4, "a", 0.2), line(5, "b", 0.8), line(9, "d", 0.2))
    assert changes(before, after) == [
        ("b", 0.5, 0.8, "slower"),
        ("d", None, 0.2, "slower"),
        ("c", 0.1, None, "faster"),
        ("a", 0.2, 0.2, "same"),
    ]


def test_lines_of_one_text_are_paired_where_they_stand():
    before = measured(line(3, spent=0.2), line(4, spent=0.5))
    after = measured(line(3, spent=0.2), line(4, spent=0.9))
    assert changes(before, after)[0] == ("y = f(x)", 0.5, 0.9, "slower")
