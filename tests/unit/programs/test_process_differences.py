"""The processes of a job, side by side."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from jitinspect.programs.process_differences import MOST_DETAILS, uneven
from tests.unit.made import FIRST, SHAPE, WHERE, compilation, histories


@given(histories, st.integers(1, 4))
def test_processes_that_compiled_the_same_are_alike(told, number):
    assert uneven({str(index): told for index in range(number)}) == ()


@given(histories, st.integers(2, 4), st.data())
def test_a_compilation_that_one_process_left_out_is_told(told, number, data):
    compiled = [one for one in told if one.compilations and one.kind != "internal"]
    if compiled:
        left_out = data.draw(st.sampled_from(compiled))
        lacking = [one for one in told if one is not left_out]
        same = {str(index): told for index in range(1, number)}
        (one,) = uneven({"0": lacking, **same})
        assert one.function == left_out.function and one.what in ("not on all", "counts differ")
        assert one.counts["1"] - one.counts["0"] == left_out.compilations


def test_no_processes_are_alike():
    assert uneven({}) == () and uneven({"0": [], "1": []}) == ()


def differs(first, second):
    (one,) = uneven({"0": first, "1": second})
    return one


ONE, TWO = (
    compilation(0, module="aa"),
    compilation(1, signature="step(f32[4])", module="bb", reasons=(SHAPE,)),
)
EVALUATE = compilation(2, function="evaluate", signature="evaluate(f32[3])", at="eval.py:5")


def test_a_function_that_is_not_on_all_is_told():
    told = differs([ONE, EVALUATE], [ONE])
    assert (told.function, told.what, told.counts) == ("evaluate", "not on all", {"0": 1, "1": 0})
    assert told.details == ("only on process 0: evaluate(f32[3]) at eval.py:5",) and not told.shared


def test_counts_that_differ_are_told():
    told = differs([ONE], [ONE, TWO])
    assert (told.what, told.counts) == ("counts differ", {"0": 1, "1": 2})
    assert told.details == (f"only on process 1: step(f32[4]) at {WHERE}",)


def test_signatures_that_differ_are_told():
    told = differs([ONE], [TWO])
    assert told.what == "signatures differ" and told.counts == {"0": 1, "1": 1}
    assert told.details == (
        f"only on process 0: step(f32[3]) at {WHERE}", f"only on process 1: step(f32[4]) at {WHERE}",
    )  # fmt: skip


def test_modules_that_differ_are_told():
    told = differs([ONE], [replace(ONE, module="cc")])
    assert told.what == "modules differ"
    assert told.details[0] == f"only on process 0: step(f32[3]) at {WHERE}, module aa"


def test_another_order_is_told_where_all_else_is_alike():
    told = differs([ONE, EVALUATE, TWO], [ONE, replace(TWO, shared=True), EVALUATE])
    assert told.what == "order differs" and told.function == "evaluate" and told.shared
    assert told.counts == {"0": 2, "1": 1}
    assert told.details == ("process 0: evaluate(f32[3]) at eval.py:5", f"process 1: step(f32[4]) at {WHERE}")


def test_what_several_compute_together_is_told_first():
    told = uneven({"0": [ONE, replace(EVALUATE, shared=True)], "1": []})
    assert [(one.function, one.shared) for one in told] == [("evaluate", True), ("step", False)]


def test_lines_and_work_of_jaxs_own_may_differ():
    internal = compilation(3, kind="internal", function="add")
    assert uneven({"0": [internal, ONE], "1": [replace(ONE, at="train.py:99", reasons=(FIRST, SHAPE))]}) == ()


def test_of_many_differences_a_few_are_told():
    many = [replace(ONE, signature=f"step(f32[{size}])") for size in range(MOST_DETAILS + 3)]
    told = differs(many, [])
    assert len(told.details) == MOST_DETAILS + 1 and told.details[-1] == "only on process 0: 3 more"


def test_what_came_from_disk_is_as_good_as_compiled():
    assert uneven({"0": [ONE], "1": [replace(ONE, status="DISK", compilations=0)]}) == ()


def test_a_signature_that_was_compiled_more_often_is_told():
    assert differs([ONE, ONE, TWO], [ONE, TWO, TWO]).details
