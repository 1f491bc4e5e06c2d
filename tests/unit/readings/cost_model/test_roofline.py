"""The least time on a device: of recorded programs, by hand, and of drawn ones."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitinspect.devices.catalog import DEVICES
from jitinspect.devices.names import parse_device
from jitinspect.ir import hlo
from jitinspect.ir.program import Block, Operation
from jitinspect.readings.cost_model.instruction_costs import InstructionCost, program_cost
from jitinspect.readings.cost_model.precisions import Numbers
from jitinspect.readings.cost_model.roofline import SOURCES, bound, peak_of, roofline

RECORDED = Path(__file__).parent / "hlo"
V5E, V5P, V4, H100, V100 = (DEVICES[name] for name in ("v5e", "v5p", "v4", "h100", "v100"))
BLOCK = Block("main", (), [], 0, 0)
ICI = parse_device("v5e:2x2").links
F32, BF16 = Numbers("f32", True), Numbers("bf16", True)


def instruction(flops=0, hbm_bytes=0, numbers=None, opcode="fusion", sent=None):
    operation = Operation(("i",), opcode, (), "f32[]", "", 0, 1)
    return InstructionCost(operation, BLOCK, 1, flops, 0, hbm_bytes, hbm_bytes, numbers, sent)


def recorded(name):
    return program_cost(hlo.parse((RECORDED / f"{name}.hlo").read_text())).instructions


@pytest.mark.parametrize("version", ["0.10", "0.12"])
@pytest.mark.parametrize(("device", "name"), [(V5E, "v5e"), (H100, "h100")])
def test_an_addition_is_bound_by_its_three_arrays(device, name, version):
    found = roofline(recorded(f"{name}-{version}-add"), device, name)
    assert found.bound_by == "bytes" and found.hbm_bytes == 3 * 4 * 4096**2
    assert found.bound_seconds == pytest.approx(3 * 4 * 4096**2 / device.bandwidth)


@pytest.mark.parametrize("version", ["0.10", "0.12"])
def test_a_matrix_product_on_a_tpu_is_bound_by_the_peak_of_bf16(version):
    """f32, but of the default precision; of the highest, six products of bf16 for each."""
    flops = 2 * 2048 * 1024 * 4096
    found = roofline(recorded(f"v5e-{version}-mm"), V5E, "v5e")
    assert (found.bound_by, found.flops) == ("flops", flops)
    assert found.bound_seconds == pytest.approx(flops / 197e12)
    assert found.ridge == pytest.approx(197e12 / 819e9)
    assert found.intensity == pytest.approx(flops / found.hbm_bytes) and found.intensity > found.ridge
    highest = roofline(recorded(f"v5e-{version}-mm_highest"), V5E, "v5e")
    assert highest.flops_seconds == pytest.approx(6 * 2 * 512**3 / 197e12)
    assert highest.ridge == pytest.approx(197e12 / 6 / 819e9)
    [rate] = highest.rates
    assert (rate.peak, rate.products, rate.precision, rate.dtype) == ("bf16", 6, "highest", "f32")


@pytest.mark.parametrize("version", ["0.10", "0.12"])
@pytest.mark.parametrize(
    ("name", "peak"), [("mm", "tf32"), ("triton-mm", "tf32"), ("mmbf", "bf16"), ("triton-mm_highest", "f32")]
)
def test_a_matrix_product_on_a_gpu_is_bound_by_the_peak_of_its_numbers(name, peak, version):
    found = roofline(recorded(f"h100-{version}-{name}"), H100, "h100")
    product = next(rate for rate in found.rates if rate.is_product)
    assert (product.peak, product.products) == (peak, 1)
    assert product.seconds == pytest.approx(product.flops / H100.peak[peak])


PEAKS = [
    (V5E, Numbers("bf16", True), ("bf16", 1)),
    (V5E, Numbers("bf16", True, "highest"), ("bf16", 1)),
    (V5E, Numbers("f32", True, "high"), ("bf16", 3)),
    (V5E, Numbers("f32", True, "default", "dot_bf16_bf16_f32_x3"), ("bf16", 3)),
    (V5E, Numbers("f32", True, "highest", "dot_f32_f32_f32"), ("bf16", 6)),
    (V5E, Numbers("f16", True), ("bf16", 1)),
    (V5E, Numbers("s8", True), ("i8", 1)),
    (V5E, Numbers("u8", True), ("i8", 1)),
    (V5E, Numbers("f8e4m3fn", True), (None, 1)),
    (V5E, Numbers("f64", True), (None, 1)),
    (V5E, Numbers("f32"), (None, 1)),
    (V5E, Numbers("bf16"), (None, 1)),
    (H100, Numbers("f32", True, "high"), ("tf32", 1)),
    (H100, Numbers("f32", True, "highest"), ("f32", 1)),
    (H100, Numbers("f32", True, "default", "dot_tf32_tf32_f32_x3"), ("tf32", 3)),
    (H100, Numbers("f32", True, "default", "dot_bf16_bf16_f32"), ("bf16", 1)),
    (H100, Numbers("f8e5m2", True), ("f8", 1)),
    (H100, Numbers("f8e4m3fn", True, "default", "dot_any_f8_any_f8_f32_fast_accum"), ("f8", 1)),
    (H100, Numbers("f64", True), ("f64", 1)),
    (H100, Numbers("f32"), ("f32", 1)),
    (H100, Numbers("f64"), ("f64", 1)),
    (H100, Numbers("s32"), (None, 1)),
    (H100, Numbers("bf16"), (None, 1)),  # its peak is that of the matrix units
    (V100, Numbers("f32", True), ("f32", 1)),  # which have no TF32
    (V100, Numbers("bf16", True), (None, 1)),
]


@pytest.mark.parametrize(("device", "numbers", "expected"), PEAKS)
def test_which_peak_holds(device, numbers, expected):
    assert peak_of(numbers, device) == expected


def test_without_a_public_peak_flops_give_no_bound():
    found = roofline([instruction(10**12, 819, Numbers("f64", True))], V5E, "v5e")
    assert (found.flops_seconds, found.bound_by, found.ridge, found.flops) == (0, "bytes", None, 0)
    assert found.bound_seconds == pytest.approx(1e-9)
    [rate] = found.rates
    assert (rate.peak, rate.seconds, rate.flops) == (None, None, 10**12)


def test_products_of_several_types_need_their_time_one_after_the_other():
    both = [instruction(197 * 10**9, 0, BF16), instruction(393 * 10**9, 0, Numbers("s8", True))]
    assert bound([(one, 1) for one in both], V5E).flops_seconds == pytest.approx(2e-3)


def test_matrix_units_and_scalar_units_may_work_at_the_same_time():
    both = [instruction(9892 * 10**8, 0, BF16), instruction(669 * 10**8, 0, Numbers("f32"))]
    assert bound([(one, 1) for one in both], H100).flops_seconds == pytest.approx(1e-3)
    more = roofline([*both, instruction(669 * 10**8, 0, Numbers("f32"))], H100, "h100")
    assert more.flops_seconds == pytest.approx(2e-3)
    assert more.flops == 2 * 669 * 10**8  # those of the units that need longest


def test_nothing_needs_no_time():
    found = roofline([], V5E, "v5e")
    assert (found.bound_seconds, found.bound_by, found.intensity, found.ridge) == (0, None, None, None)


def test_collectives_are_named_once():
    found = roofline(recorded("h100x4-0.10-loop"), H100, "h100:4")
    assert found.collectives == ("reduce-scatter-start",)
    assert roofline(recorded("v5e4-0.12-loss"), V5E, "v5e:2x2").collectives == ("all-reduce.3",)
    assert roofline(recorded("v5e-0.12-mm"), V5E, "v5e").collectives == ()


@pytest.mark.parametrize("version", ["0.10", "0.12"])
def test_what_is_sent_binds_where_links_are_slow(version):
    """An all-reduce of a loss and two gradients over four devices, in a ring: each sends 3/4 of it twice."""
    sent = 2 * 3 * 4 * (1 + 512 * 1024 + 1024 * 256) // 4
    found = roofline(recorded(f"v5e4-{version}-loss"), V5E, "v5e:2x2", ICI)
    assert (found.wire_bytes, found.links) == (sent, ICI)
    assert found.links_seconds == pytest.approx(sent / 200e9)
    assert (found.bound_by, found.bound_seconds) == ("links", found.links_seconds)
    assert "each device sends over all its links at once, in rings" in found.assumptions


def test_without_a_public_speed_of_links_they_are_no_part_of_the_bound():
    found = roofline(recorded("v5e4-0.12-loss"), V5E, "v5e:2x2", None)
    assert found.links is found.links_seconds is None and found.collectives and found.wire_bytes
    assert found.bound_by == "bytes" and found.assumptions == ()


def test_what_a_loop_sends_is_sent_in_each_iteration():
    [one] = [one for one in recorded("h100x4-0.10-loop") if one.wire_bytes is not None]
    assert one.wire_bytes == 7 * 3 * 256 * 512 * 4 // 4
    assert one.operation.opcode == "reduce-scatter-start"


def test_a_program_that_sends_nothing_has_no_links():
    found = roofline(recorded("v5e-0.10-mm"), V5E, "v5e", ICI)
    assert found.links is found.links_seconds is None and found.wire_bytes == 0


def test_what_a_bound_on_a_gpu_assumes():
    cached = "nothing stays in the L2 cache between kernels"
    assert roofline(recorded("h100-0.10-mm"), H100, "h100").assumptions == (cached,)
    convolution = roofline(recorded("h100-0.10-convgrad"), H100, "h100").assumptions
    assert convolution == (cached, "no convolution is made of fewer FLOPs")
    assert roofline(recorded("v5e-0.10-conv"), V5E, "v5e").assumptions == ()


def test_every_device_has_a_source():
    assert {device.platform for device in DEVICES.values()} == {*SOURCES}


flops = st.integers(0, 10**15)
instructions = st.builds(
    instruction,
    flops=flops,
    hbm_bytes=st.integers(0, 10**12),
    numbers=st.one_of(
        st.none(),
        st.builds(
            Numbers,
            st.sampled_from(["f32", "bf16", "f16", "f64", "s8", "f8e4m3fn", "s32", "pred"]),
            st.booleans(),
            st.sampled_from(["default", "high", "highest"]),
        ),
    ),
    sent=st.none() | st.integers(0, 10**12),
)
devices = st.sampled_from([*DEVICES.values()])


def bounded(parts, device):
    """With what the parts send, over the links."""
    return bound(parts, device, sum((one.wire_bytes or 0) / count for one, count in parts) / device.link)


@given(st.lists(instructions, max_size=8), devices)
def test_the_whole_is_bound_by_no_more_than_its_parts_and_no_less_than_any_of_them(found, device):
    whole = bounded([(one, 1) for one in found], device)
    parts = [bounded([(one, 1)], device) for one in found]
    assert whole.seconds <= sum(one.seconds for one in parts) * (1 + 1e-9)
    assert all(whole.seconds >= one.seconds * (1 - 1e-9) for one in parts)


@given(st.lists(instructions, min_size=1, max_size=8), devices)
def test_it_is_bound_by_flops_exactly_where_the_intensity_is_above_the_ridge(found, device):
    one = roofline(found, device, device.name)
    assert one.bound_seconds == max(one.flops_seconds, one.bytes_seconds)
    if one.intensity is not None and one.ridge is not None and one.intensity != pytest.approx(one.ridge):
        assert (one.bound_by == "flops") == (one.intensity > one.ridge)


@given(st.lists(instructions, max_size=6), st.integers(1, 5), devices)
def test_lines_that_share_instructions_share_their_time(found, count, device):
    shared = bounded([(one, count) for one in found], device)
    whole = bounded([(one, 1) for one in found], device)
    assert shared.seconds * count == pytest.approx(whole.seconds)
