"""What instructions cost, in programs written by hand; `integration/readings/test_cost.py` has real ones."""

from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitinspect.ir import hlo
from jitinspect.readings.cost_model import windows
from jitinspect.readings.cost_model.instruction_costs import program_cost
from jitinspect.readings.cost_model.power_law import fit
from jitinspect.readings.cost_model.work import Work

ADD = """%add (a: f32[], b: f32[]) -> f32[] {
  %a = f32[] parameter(0)
  %b = f32[] parameter(1)
  ROOT %sum = f32[] add(%a, %b)
}

"""


def of(body, before=""):
    """The costs of a module whose entry has these instructions."""
    lines = "\n".join(f"  {line.strip()}" for line in body.strip().split("\n"))
    return program_cost(hlo.parse(f"HloModule m\n\n{before}ENTRY %main () -> f32[] {{\n{lines}\n}}\n"))


def one(instruction, *operands, before=""):
    """FLOPs, transcendentals and bytes of one instruction."""
    parameters = "\n".join(f"%p{i} = {type_} parameter({i})" for i, type_ in enumerate(operands))
    costs = of(f"{parameters}\nROOT %r = {instruction}", before)
    return costs.flops, costs.transcendentals, costs.bytes


A, Z = "f32[10,7]", "c64[10,7]"
INSTRUCTIONS = [
    (f"{A} add(%p0, %p1)", (A, A), (70, 0, 840)),
    (f"{A} tanh(%p0)", (A,), (0, 70, 560)),
    (f"{A} power(%p0, %p1)", (A, A), (0, 70, 840)),
    ("pred[10,7] compare(%p0, %p1), direction=LT", (A, A), (70, 0, 630)),
    (f"{A} select(%p0, %p1, %p1)", ("pred[10,7]", A), (70, 0, 910)),
    (f"{A} copy(%p0)", (A,), (0, 0, 560)),
    ("f32[70] bitcast(%p0)", (A,), (0, 0, 0)),
    ("f32[10,7,3] broadcast(%p0), dimensions={0,1}", (A,), (0, 0, 1120)),
    ("f32[5,7] slice(%p0), slice={[0:5], [0:7]}", (A,), (0, 0, 280)),
    ("f32[2,7] dynamic-slice(%p0, %p1, %p1), dynamic_slice_sizes={2,7}", (A, "s32[]"), (0, 0, 116)),
    (f"{A} dynamic-update-slice(%p0, %p2, %p1, %p1)", (A, "s32[]", "f32[2,7]"), (0, 0, 116)),
    ("f32[5,7] gather(%p0, %p1), slice_sizes={1,7}", (A, "s32[5,1]"), (0, 0, 300)),
    (f"{A} scatter(%p0, %p1, %p2), to_apply=%add", (A, "s32[5,1]", "f32[5,7]"), (35, 0, 440)),
    ("f32[10] reduce(%p0, %p1), dimensions={1}, to_apply=%add", (A, "f32[]"), (60, 0, 324)),
    ("f32[8,7] reduce-window(%p0, %p1), window={size=3x1}, to_apply=%add", (A, "f32[]"), (112, 0, 508)),
    (f"{A} map(%p0, %p0), dimensions={{0,1}}, to_apply=%add", (A,), (70, 0, 840)),
    (f"{A} all-reduce(%p0), replica_groups={{}}, to_apply=%add", (A,), (70, 0, 560)),
    (f"{A} sort(%p0), dimensions={{0}}, to_apply=%add", (A,), (490, 0, 560)),
    ("(u64[2], u32[10,7]) rng-bit-generator(%p0), algorithm=rng_default", ("u64[2]",), (0, 72, 312)),
    ("f32[3] scatter(%p0, %p1, %p2), to_apply=%add", ("f32[3]", "s32[9,1]", "f32[9]"), (9, 0, 96)),
    ("f32[9] gather(%p0, %p1), slice_sizes={1}", ("f32[3]", "s32[9,1]"), (0, 0, 84)),
    (f"{Z} add(%p0, %p1)", (Z, Z), (140, 0, 1680)),
    (f"{Z} multiply(%p0, %p1)", (Z, Z), (420, 0, 1680)),
    (f"{Z} divide(%p0, %p1)", (Z, Z), (770, 0, 1680)),
    (f"{A} abs(%p0)", (Z,), (210, 70, 840)),
    (f"{A} real(%p0)", (Z,), (70, 0, 840)),
    (f"{Z} exponential(%p0)", (Z,), (0, 70, 1120)),
    ("c64[4,6,6] cholesky(%p0), lower=true", ("c64[4,6,6]",), (1152, 0, 2304)),
    (
        "c64[10,3] dot(%p0, %p1), lhs_contracting_dims={1}, rhs_contracting_dims={0}",
        (Z, "c64[7,3]"),
        (8 * 210, 0, 968),
    ),
    ("c64[3,16] fft(%p0), fft_type=FFT, fft_length={16}", ("c64[3,16]",), (3 * 5 * 16 * 4, 0, 768)),
    ("c64[3,9] fft(%p0), fft_type=RFFT, fft_length={16}", ("f32[3,16]",), (3 * 5 * 16 * 4 // 2, 0, 408)),
    ("f32[3,16] fft(%p0), fft_type=IRFFT, fft_length={16}", ("c64[3,9]",), (3 * 5 * 16 * 4 // 2, 0, 408)),
    ("f32[4,6,6] cholesky(%p0), lower=true", ("f32[4,6,6]",), (288, 0, 1152)),
    ("f32[4,6,3] triangular-solve(%p0, %p1)", ("f32[4,6,6]", "f32[4,6,3]"), (432, 0, 1152)),
    (
        "f32[10,3] dot(%p0, %p1), lhs_contracting_dims={1}, rhs_contracting_dims={0}",
        (A, "f32[7,3]"),
        (420, 0, 484),
    ),
    (
        f"{A} select-and-scatter(%p0, %p1, %p2), window={{size=2x1 stride=2x1}}, select=%add, scatter=%add",
        (A, "f32[5,7]", "f32[]"),
        (70, 0, 704),
    ),
]
"""With XLA's own numbers, but for FFTs, triangular solves, complex numbers, repeated elements, and bytes of
Cholesky's.
"""


@pytest.mark.parametrize(("instruction", "operands", "expected"), INSTRUCTIONS)
def test_an_instruction_costs_what_xla_says(instruction, operands, expected):
    assert one(instruction, *operands, before=ADD) == expected


def test_a_reducer_counts_where_it_is_applied_and_nowhere_else():
    costs = of(
        f"%p0 = {A} parameter(0)\n%z = f32[] constant(0)\n"
        "ROOT %r = f32[10] reduce(%p0, %z), dimensions={1}, to_apply=%add",
        ADD.replace("%sum = f32[] add(%a, %b)", "%sum = f32[] tanh(%a)"),
    )
    assert (costs.flops, costs.transcendentals) == (0, 60)
    assert {one.block.name for one in costs.instructions} == {"main"}


LOOP = """%body (t: (s32[], f32[10])) -> (s32[], f32[10]) {{
  %t = (s32[], f32[10]) parameter(0)
  %i = s32[] get-tuple-element(%t), index=0
  %x = f32[10] get-tuple-element(%t), index=1
  %y = f32[10] {inner}
  ROOT %r = (s32[], f32[10]) tuple(%i, %y)
}}

%cond (t2: (s32[], f32[10])) -> pred[] {{
  %t2 = (s32[], f32[10]) parameter(0)
  %i2 = s32[] get-tuple-element(%t2), index=0
  ROOT %c = pred[] compare(%i2, %i2), direction=LT
}}

"""
TRIPS = ', backend_config={"known_trip_count":{"n":"7"}}'
WHILE = """%q = f32[10] parameter(0)
%z = s32[] constant(0)
%s = (s32[], f32[10]) tuple(%z, %q)
ROOT %w = (s32[], f32[10]) while(%s), condition=%cond, body=%body"""


def test_a_loop_counts_as_often_as_it_runs_and_once_for_xla():
    costs = of(WHILE + TRIPS, LOOP.format(inner="tanh(%x)"))
    assert (costs.flops, costs.transcendentals, costs.bytes) == (8, 70, 7 * 80 + 8 * 9)
    assert (costs.flops_once, costs.transcendentals_once, costs.bytes_once) == (1, 10, 80 + 9)
    [loop] = costs.loops
    assert (loop.trip_count, loop.times, loop.body) == (7, 1, Work(0, 10, 80))
    times = {one.operation.names[0]: one.times for one in costs.instructions}
    assert (times["y"], times["c"], times["w"]) == (7, 8, 1)


def test_a_loop_of_unknown_length_counts_once_and_is_listed():
    costs = of(WHILE, LOOP.format(inner="tanh(%x)"))
    assert (costs.flops, costs.transcendentals) == (1, 10)
    assert [loop.trip_count for loop in costs.loops] == [None]


def test_a_loop_that_never_runs_costs_its_condition():
    costs = of(WHILE + TRIPS.replace("7", "0"), LOOP.format(inner="tanh(%x)"))
    assert (costs.flops, costs.transcendentals, costs.loops[0].trip_count) == (1, 0, 0)


def test_nested_loops_multiply():
    """Each iteration of the outer loop calls what runs the inner one, whose names begin with an n."""
    inner = LOOP.format(inner="tanh(%x)") + f"%caller () -> f32[] {{\n{WHILE}{TRIPS}\n}}\n\n"
    inner = inner.replace("%", "%n").replace('"7"', '"3"')
    costs = of(WHILE + TRIPS, inner + LOOP.format(inner="call(%x), to_apply=%ncaller"))
    assert costs.transcendentals == 7 * 3 * 10 and costs.transcendentals_once == 10
    assert sorted((loop.trip_count, loop.times) for loop in costs.loops) == [(3, 7), (7, 1)]


BRANCHES = """%cheap (x: f32[10]) -> f32[10] {
  %x = f32[10] parameter(0)
  ROOT %y = f32[10] tanh(%x)
}

%dear (x2: f32[10]) -> f32[10] {
  %x2 = f32[10] parameter(0)
  ROOT %z = f32[10] add(%x2, %x2)
}

"""


def test_the_most_expensive_branch_of_a_conditional_counts():
    costs = of(
        "%q = f32[10] parameter(0)\n%i = s32[] parameter(1)\n"
        "ROOT %w = f32[10] conditional(%i, %q, %q), branch_computations={%cheap, %dear}",
        BRANCHES,
    )
    assert (costs.flops, costs.transcendentals, costs.bytes) == (10, 0, 120)
    assert {
        one.operation.names[0]: one.times for one in costs.instructions if one.operation.names[0] in "yz"
    } == {
        "y": 0,
        "z": 1,
    }
    assert (costs.flops_once, costs.transcendentals_once) == (10, 10)  # XLA takes the most of each
    [branching] = costs.branchings
    assert (branching.times, branching.counted) == (1, 1)
    assert branching.branches == (Work(0, 10, 80), Work(10, 0, 120))
    assert [one.names[0] for one in branching.costliest] == ["y", "z"]
    assert costs.least == Work(0, 0, 80) and costs.most == Work(10, 10, 120)


def test_a_branch_in_a_loop_is_a_range():
    call = "conditional(%i, %x, %x), branch_computations={%cheap, %dear}"
    costs = of(WHILE + TRIPS, BRANCHES + LOOP.format(inner=call))
    assert (costs.flops, costs.transcendentals) == (7 * 10 + 8, 0)
    assert costs.least == Work(8, 0, 7 * 80 + 8 * 9) and costs.most == Work(7 * 10 + 8, 70, 7 * 120 + 8 * 9)
    assert [one.times for one in costs.branchings] == [7]


def test_branches_in_the_branch_that_does_not_count_are_not_listed():
    inner = "%u = f32[10] conditional(%i, %x, %x), branch_computations={%cheap, %dear}"
    nested = (
        BRANCHES
        + "%either (x: f32[10]) -> f32[10] {\n  %x = f32[10] parameter(0)\n  %i = s32[] constant(0)\n"
        + f"  ROOT {inner}\n}}\n\n"
        + "%dearest (x: f32[10]) -> f32[10] {\n  %x = f32[10] parameter(0)\n  %y = f32[10] add(%x, %x)\n"
        + "  ROOT %z = f32[10] add(%y, %y)\n}\n\n"
    )
    costs = of(
        "%q = f32[10] parameter(0)\n%i = s32[] parameter(1)\n"
        "ROOT %w = f32[10] conditional(%i, %q, %q), branch_computations={%either, %dearest}",
        nested,
    )
    assert [one.operation.names[0] for one in costs.branchings] == ["w"]
    assert (costs.flops, costs.least.flops, costs.most.flops) == (20, 0, 20)


def test_a_computation_that_is_called_twice_counts_twice():
    costs = of(
        "%q = f32[10] parameter(0)\n%c = f32[10] call(%q), to_apply=%dear\n"
        "ROOT %d = f32[10] call(%c), to_apply=%dear",
        BRANCHES,
    )
    assert costs.flops == 20 and [
        one.times for one in costs.instructions if one.operation.names[0] == "z"
    ] == [2]


def fusion(body, *parameters, out="f32[10]", before=""):
    """FLOPs and bytes of a fusion."""
    inside = "\n".join(f"  %p{i} = {type_} parameter({i})" for i, type_ in enumerate(parameters))
    outside = "\n".join(f"%q{i} = {type_} parameter({i})" for i, type_ in enumerate(parameters))
    names = ", ".join(f"%q{i}" for i in range(len(parameters)))
    costs = of(
        f"{outside}\nROOT %f = {out} fusion({names}), kind=kLoop, calls=%fused",
        f"{before}%fused () -> {out} {{\n{inside}\n{body}\n}}\n\n",
    )
    assert all(one.bytes == 0 for one in costs.instructions if one.block.name == "fused")
    return costs.flops, costs.bytes


def test_a_fusion_moves_what_goes_in_and_out():
    body = "  %t = f32[10,7] multiply(%p0, %p1)\n  ROOT %r = f32[10,7] add(%t, %p0)"
    assert fusion(body, A, A, out=A) == (140, 840)


def test_a_fusion_reads_only_the_slices_of_what_it_slices():
    body = "  ROOT %r = f32[2,7] dynamic-slice(%p0, %p1, %p1), dynamic_slice_sizes={2,7}"
    assert fusion(body, A, "s32[]", out="f32[2,7]") == (0, 56 + 4 + 56)
    gather = "  ROOT %r = f32[{n},7] gather(%p0, %p1), slice_sizes={{1,7}}"
    assert fusion(gather.format(n=5), A, "s32[5,1]", out="f32[5,7]") == (0, 140 + 20 + 140)
    assert fusion(gather.format(n=50), A, "s32[50,1]", out="f32[50,7]") == (0, 280 + 200 + 1400)


def test_a_fusion_that_also_uses_the_whole_reads_the_whole():
    body = """  %s = f32[2,7] slice(%p0), slice={[0:2], [0:7]}
  %n = f32[10,7] negate(%p0)
  ROOT %r = (f32[2,7], f32[10,7]) tuple(%s, %n)"""
    assert fusion(body, A, out=f"(f32[2,7], {A})") == (70, 56 + 280 + 56 + 280)


@pytest.mark.parametrize(
    ("root", "out"),
    [("ROOT %u = f32[10,7]", A), ("%u = f32[10,7]", "f32[70]"), ("%u = f32[10,7]", f"({A}, {A})")],
)
def test_what_a_fusion_updates_in_place_is_not_moved(root, out):
    end = {
        A: "",
        "f32[70]": "\n  ROOT %r = f32[70] bitcast(%u)",
        f"({A}, {A})": f"\n  ROOT %r = ({A}, {A}) tuple(%u, %u)",
    }
    body = f"  {root} dynamic-update-slice(%p0, %p2, %p1, %p1){end[out]}"
    written = 2 if out.startswith("(") else 1
    assert fusion(body, A, "s32[]", "f32[2,7]", out=out) == (0, 56 + 4 + 56 * written)


OVERWRITE = """%add (a: f32[], b: f32[]) -> f32[] {
  %a = f32[] parameter(0)
  ROOT %b = f32[] parameter(1)
}

"""


@pytest.mark.parametrize(("combine", "read"), [(ADD, 140), (OVERWRITE, 0)])
@pytest.mark.parametrize(
    ("target", "end", "out", "more"),
    [
        ("%p0", "ROOT", A, 0),
        ("%p0", "ROOT %r = f32[70] bitcast(%u)", "f32[70]", 0),
        ("%v", "ROOT", A, 0),
        ("%p0", f"ROOT %r = ({A}, {A}) tuple(%u, %u)", f"({A}, {A})", 140),
        ("%b", "ROOT", A, 280),  # made here, so all of it is written
    ],
)
def test_a_fusion_that_scatters_moves_what_it_scatters(combine, read, target, end, out, more):
    """Five rows of seven, at five indices."""
    before = f"  %v = {A} bitcast(%p0)\n" if target == "%v" else ""
    before = (
        f"  %z = f32[] constant(0)\n  %b = {A} broadcast(%z), dimensions={{}}\n" if target == "%b" else before
    )
    root, after = ("ROOT ", "") if end == "ROOT" else ("", f"\n  {end}")
    body = f"{before}  {root}%u = {A} scatter({target}, %p1, %p2), to_apply=%add{after}"
    given = (A, "s32[5,1]", "f32[5,7]")
    unread = 280 - read if target == "%b" else 0  # a parameter that nothing uses is read, as by XLA
    assert fusion(body, *given, out=out, before=combine)[1] == read + unread + 20 + 140 + 140 + more


def test_a_scatter_of_several_arrays_moves_each():
    pair = ADD.replace("b: f32[])", "b: f32[], c: f32[], d: f32[])")
    body = f"""  %u = ({A}, {A}) scatter(%p0, %p1, %p2, %p3, %p4), to_apply=%add
  ROOT %r = {A} get-tuple-element(%u), index=1"""
    given = (A, A, "s32[5,1]", "f32[5,7]", "f32[5,7]")
    assert fusion(body, *given, out=A, before=pair)[1] == 2 * 140 + 20 + 2 * 140 + 140


def test_a_fusion_reads_its_constants_except_scalars():
    body = "  %k = f32[3] constant({1, 2, 3})\n  ROOT %r = f32[3] add(%p0, %k)"
    assert fusion(body, "f32[3]", out="f32[3]") == (3, 36)
    scalar = "  %k = f32[] constant(1)\n  %b = f32[3] broadcast(%k), dimensions={}"
    body = f"{scalar}\n  ROOT %r = f32[3] add(%p0, %b)"
    assert fusion(body, "f32[3]", out="f32[3]") == (3, 24)


LAPACK = [
    ("potrf", "", ("f32[2,9,9]",), 2 * 243),
    ("getrf", "", ("f32[9,9]",), 486),
    ("geqrf", "", ("f32[12,6]",), 2 * 36 * 10),
    ("orgqr", "", ("f32[12,6]", "f32[6]"), 4 * 12 * 36 - 2 * 18 * 36 + 4 * 216 // 3),
    ("trsm", "", ("f32[3,6,6]", "f32[3,6,4]"), 3 * 36 * 4),
    ("syevd", "mode = 86 : ui8", ("f32[6,6]",), 9 * 216),
    ("syevd", "mode = 78 : ui8", ("f32[6,6]",), 4 * 216 // 3),
    ("gesdd", "mode = 83 : ui8", ("f32[12,6]",), 14 * 12 * 36 + 8 * 216),
    ("gesdd", "mode = 78 : ui8", ("f32[12,6]",), 4 * 12 * 36 - 4 * 216 // 3),
    ("geev", "compute_left = 78 : ui8, compute_right = 86 : ui8", ("f32[6,6]",), 25 * 216),
    ("gtsv", "", ("f32[2,9]", "f32[2,9]", "f32[2,9]", "f32[2,9,4]"), 2 * 9 * 23),
    ("ormqr", "", ("f32[12,6]", "f32[6]", "f32[12,5]"), 2 * 5 * 6 * 18),
]


@pytest.mark.parametrize(("routine", "attributes", "operands", "flops"), LAPACK)
def test_lapack_is_counted(routine, attributes, operands, flops):
    names = ", ".join(f"%p{i}" for i in range(len(operands)))
    for letter, factor in zip("sdcz", (1, 1, 4, 4), strict=True):
        target = f'custom_call_target="lapack_{letter}{routine}_ffi", backend_config={{{attributes}}}'
        assert one(f"f32[1] custom-call({names}), {target}", *operands)[0] == factor * flops


def test_an_unknown_custom_call_is_listed_as_unmodelled():
    costs = of('%p = f32[8] parameter(0)\nROOT %r = f32[8] custom-call(%p), custom_call_target="mine"')
    assert [one.names for one in costs.unmodelled] == [("r",)] and (costs.flops, costs.bytes) == (0, 64)
    assert one('(f32[3,4], s32[3,4]) custom-call(%p0), custom_call_target="TopK"', "f32[3,16]")[0] == 96


def met(axis, inputs, outputs):
    """By enumerating all positions."""
    return sum(
        at % axis.base == 0 and 0 <= at <= (inputs - 1) * axis.base
        for out in range(outputs)
        for tap in range(axis.size)
        for at in [out * axis.stride + tap * axis.dilation - axis.low]
    )


small = st.integers(1, 4)


@given(small, small, st.integers(-3, 5), small, small, st.integers(1, 9), st.integers(0, 9))
def test_a_window_meets_the_elements_under_it(size, stride, low, base, dilation, inputs, outputs):
    axis = windows.Axis(size, stride, low, base, dilation)
    assert axis.positions(inputs, outputs) == met(axis, inputs, outputs)


def test_a_window_is_parsed():
    rest = ", window={size=3x5 stride=2x1 pad=-1_2x0_1 lhs_dilate=1x2 rhs_dilate=3x1 rhs_reversal=1x1}"
    assert windows.axes(rest) == [windows.Axis(3, 2, -1, 1, 3), windows.Axis(5, 1, 0, 2, 1)]
    assert windows.axes(", dim_labels=bf_io->bf") == []


@pytest.mark.parametrize(
    ("rest", "out", "flops"),
    [
        ("window={size=3x3 pad=1_1x1_1}, dim_labels=bf01_oi01->bf01", "f32[2,5,8,8]", 29040),
        ("window={size=3x3}, dim_labels=bf01_oi01->bf01", "f32[2,5,6,6]", 19440),
        ("window={size=3x3 lhs_dilate=2x2}, dim_labels=bf01_oi01->bf01", "f32[2,5,13,13]", 24000),
        ("window={size=3x3 pad=-1_-1x-1_-1}, dim_labels=bf01_oi01->bf01", "f32[2,5,4,4]", 8640),
    ],
)
def test_a_convolution_counts_valid_products_as_xla_does(rest, out, flops):
    assert one(f"{out} convolution(%p0, %p1), {rest}", "f32[2,3,8,8]", "f32[5,3,3,3]")[0] == flops


def test_groups_of_a_convolution():
    window = "window={size=3x3}, dim_labels=bf01_oi01->bf01"
    grouped = f"f32[2,6,6,6] convolution(%p0, %p1), {window}, feature_group_count=3"
    assert one(grouped, "f32[2,3,8,8]", "f32[6,1,3,3]")[0] == 2 * 2 * 6 * 36 * 9
    batches = f"f32[1,4,6,6] convolution(%p0, %p1), {window}, batch_group_count=2"
    assert one(batches, "f32[2,3,8,8]", "f32[4,3,3,3]")[0] == 7776


@given(st.floats(0.0, 3.0), st.floats(0.0, 3.0), st.floats(0.1, 1e6))
def test_a_fit_finds_the_exponents(b, d, factor):
    sizes = [{"B": x, "D": y, "K": 5} for x in (1, 8, 64) for y in (16, 32)]
    found = fit(sizes, [factor * point["B"] ** b * point["D"] ** d for point in sizes])
    assert found.exponents == pytest.approx({"B": b, "D": d}, abs=1e-9)
    assert found.error == pytest.approx(0, abs=1e-9)


def test_a_fit_has_an_error_if_it_is_not_a_power_law():
    sizes = [{"N": n} for n in (64, 128, 256)]
    found = fit(sizes, [n * log2(n) + 1000 for n in (64, 128, 256)])
    assert found.error > 0.05
    assert fit(sizes, [0, 1, 2]) is None and fit(sizes[:1], [1]) is None and fit([], []) is None
