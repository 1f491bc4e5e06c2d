"""Costs of what XLA compiled for TPUs and GPUs: recorded HLO, of functions whose costs are known by hand.

Each text in `hlo` is named after what it was compiled for (`v5e4`: four of them), the JAX version, and the
function: jax 0.10.2 with libtpu 0.0.42.1 or jax-cuda12-plugin 0.10.2; jax 0.12.0.1 with libtpu 0.0.50.1 or
jax-cuda13-plugin 0.12.0.1. `triton` are those whose matrix products XLA left to Triton, as it does unless
told otherwise; the others call cuBLAS. Metadata and the attributes of scheduling are left out.
"""

from pathlib import Path

import pytest

from jitinspect.ir import hlo
from jitinspect.readings.cost_model.instruction_costs import program_cost

RECORDED = Path(__file__).parent / "hlo"
VERSIONS = ("0.10", "0.12")
each_version = pytest.mark.parametrize("version", VERSIONS)


def recorded(device, version, name):
    return program_cost(hlo.parse((RECORDED / f"{device}-{version}-{name}.hlo").read_text()))


def products(costs):
    """FLOPs of matrix products and convolutions."""
    return sum(one.flops for one in costs.instructions if one.numbers and one.numbers.is_product)


F32 = 4
ADD = 4096**2 * F32
MATMUL = (2048 * 1024 + 1024 * 4096 + 2048 * 4096) * F32
CONV = 2 * 8 * (3 * 32 - 2) ** 2 * 64 * 128
MLP = 2 * 1024 * 512 * (2 * 256 + 512 + 2 * 256 + 512 + 256)
"""Two products forward, which is all that the gradient needs, and four backward: that with the derivative of
a sum, which is one everywhere, XLA for TPUs makes a reduction.
"""


@each_version
@pytest.mark.parametrize("device", ["v5e", "h100"])
def test_an_addition_reads_two_arrays_and_writes_one(device, version):
    costs = recorded(device, version, "add")
    assert (costs.flops, costs.bytes, costs.hbm_bytes) == (4096**2, 3 * ADD, 3 * ADD)


@each_version
@pytest.mark.parametrize("device", ["v5e", "h100"])
def test_a_reduction_reads_its_array_once(device, version):
    costs = recorded(device, version, "red")
    size = 8192**2 * F32
    assert costs.flops == 8192**2 - 1
    assert size < costs.hbm_bytes < 1.001 * size


@each_version
@pytest.mark.parametrize("device", ["v5e", "h100", "h100-triton"])
def test_a_matrix_product(device, version):
    name = "mm"
    if device == "h100-triton":
        device, name = "h100", "triton-mm"
    costs = recorded(device, version, name)
    assert costs.flops == products(costs) == 2 * 2048 * 1024 * 4096
    assert costs.hbm_bytes == MATMUL
    assert costs.unmodelled == []


@each_version
def test_what_is_fetched_to_the_chip_first_is_read_from_main_memory_once(version):
    """One operand goes to VMEM, and is read there by the product: twice more its bytes, none of HBM."""
    costs = recorded("v5e", version, "mm")
    assert costs.bytes == MATMUL + 2 * 1024 * 4096 * F32
    moved = {one.operation.opcode: one.hbm_bytes for one in costs.instructions if one.hbm_bytes}
    assert moved == {"copy-start": 1024 * 4096 * F32, "fusion": (2048 * 1024 + 2048 * 4096) * F32}


@each_version
def test_a_softmax_stays_on_the_chip_of_a_tpu(version):
    size = 2048**2 * F32
    read = 2 * size  # to the chip, and for the maximum, where a scalar is read as well
    assert recorded("v5e", version, "soft").hbm_bytes == read + size + 4


@each_version
def test_slices_that_are_fetched_one_by_one_are_counted_once(version):
    """A weight comes to the chip in four `async-start`s of slices, put together by a custom call."""
    costs = recorded("v5e", version, "mlpgrad")
    sizes = 1024 * 256 + 2 * (256 * 512 + 512 * 512 + 512 * 256)
    assert costs.hbm_bytes == sizes * F32 + 4  # the arguments, and as many gradients; a scalar
    assert products(costs) == MLP
    slices = [one for one in costs.instructions if one.operation.opcode == "slice"]
    assert sum(one.hbm_bytes for one in slices) == 512 * 512 * F32
    assert costs.unmodelled == []


@each_version
@pytest.mark.parametrize("device", ["v5e", "h100"])
def test_a_batch_of_matrix_products(device, version):
    """On a TPU a convolution, whose window is as large as the batch and dilated so that it meets it once."""
    costs = recorded(device, version, "bmm")
    assert costs.flops == 2 * 16 * 128 * 256 * 64
    assert costs.hbm_bytes == 16 * (128 * 256 + 256 * 64 + 128 * 64) * F32


@each_version
def test_convolutions(version):
    assert products(recorded("v5e", version, "conv")) == CONV
    assert recorded("v5e", version, "conv").hbm_bytes == (
        (8 * 32 * 32 * (64 + 128) + 9 * 64 * 128) * F32  # the copies in fusions stay there
    )


@each_version
def test_cudnn_takes_as_much_for_each_gradient_as_for_the_convolution(version):
    costs = recorded("h100", version, "convgrad")
    assert products(costs) == 3 * CONV and costs.unmodelled == []
    calls = [one.operation for one in costs.instructions if one.operation.opcode == "custom-call"]
    assert len(calls) == 3


@each_version
def test_a_complex_product_counts_real_operations(version):
    assert products(recorded("h100", version, "cplx")) == 4 * 2 * 256**3
    assert products(recorded("v5e", version, "cplx")) == 3 * 2 * 256**3  # XLA takes three products for four
    assert recorded("v5e", version, "cplx").hbm_bytes == 3 * 256**2 * 8
    assert recorded("v5e", version, "cplx").unmodelled == []


@each_version
@pytest.mark.parametrize("name", ["v5e", "h100", "h100-triton"])
def test_a_loop_counts_as_often_as_it_runs(name, version):
    """XLA for TPUs does not say how often that is."""
    device, _, triton = name.partition("-")
    costs = recorded(device, version, f"{triton}-scan" if triton else "scan")
    assert products(costs) == 9 * 2 * 128**3
    assert costs.transcendentals == 9 * 128**2
    assert [loop.trip_count for loop in costs.loops] == [9]


@each_version
def test_the_loops_of_a_gradient(version):
    costs = recorded("v5e", version, "scangrad")
    assert [loop.trip_count for loop in costs.loops] == [9, 9]
    assert products(costs) == 3 * 9 * 2 * 128**3


@each_version
def test_a_slice_in_a_fusion_in_a_fusion_is_read_as_a_slice(version):
    """Each iteration takes one matrix of nine, of bf16, by a fusion inside of that which multiplies it."""
    [fusion] = [
        one for one in recorded("v5e", version, "scan").instructions if one.operation.names[0] == "fusion.13"
    ]
    activations = 2 * 128**2 * F32
    assert (fusion.bytes, fusion.hbm_bytes) == (9 * (activations + 128**2 * 2 + 4), 0)


@each_version
def test_the_loop_of_a_gpu_reads_a_matrix_at_a_time(version):
    costs = recorded("h100", version, "scan")
    whole = 9 * 128**2 * F32
    assert costs.hbm_bytes < 8 * whole  # a weight, the product's operands and result, tanh


@each_version
def test_solvers_are_counted_with_lapacks_numbers(version):
    solve = recorded("h100", version, "solve")
    assert solve.unmodelled == [] and solve.flops > 2 * 64**3 // 3 + 2 * 64**2 * 4
    assert recorded("h100", version, "svd").flops > 22 * 64**3
    unknown = recorded("v5e", version, "qr").unmodelled
    assert len(unknown) == 1 and "CompactWyHelper" in unknown[0].rest


@each_version
@pytest.mark.parametrize("device", ["v5e4", "h100x4"])
def test_collectives_count_once_each_time_they_run(device, version):
    """Whether they are printed as one instruction, or as a start and an end."""
    reduced = 512 * 1024 + 1024 * 256 + 1
    [reduce] = collectives(recorded(device, version, "loss"))
    assert reduce.flops == reduced and reduce.bytes == 2 * reduced * F32
    [gather] = collectives(recorded(device, version, "gather"))
    assert gather.flops == 0
    assert gather.bytes == {"v5e4": 5 * 128 * 1024 * 2, "h100x4": 2 * 5 * 128 * 1024 * F32}[device]


@each_version
@pytest.mark.parametrize("device", ["v5e4", "h100x4"])
def test_collectives_in_a_loop_count_as_often_as_it_runs(device, version):
    costs = recorded(device, version, "loop")
    assert products(costs) == 7 * 2 * 256 * 128 * 512  # of one device
    [one] = collectives(costs)
    assert one.times == 7
    if device == "h100x4":
        assert one.bytes == 7 * (256 * 512 + 256 * 128) * F32


def collectives(costs):
    names = ("all-reduce", "all-gather", "reduce-scatter")
    found = [one for one in costs.instructions if one.operation.opcode.startswith(names)]
    assert all(one.flops == one.bytes == 0 for one in found if one.operation.opcode.endswith("-done"))
    return [one for one in found if not one.operation.opcode.endswith("-done")]


def test_memory_that_a_library_scratches_in_is_not_moved():
    """4 to 32 MiB, as results of the calls."""
    for version in VERSIONS:
        [call] = [one for one in recorded("h100", version, "mm").instructions if one.bytes]
        assert "s8[" in call.operation.type and call.bytes == MATMUL


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("v5e-0.10-mm", ("f32", "default")),
        ("v5e-0.10-mm_highest", ("f32", "highest")),
        ("v5e-0.10-scan", ("bf16", "default")),
        ("h100-0.10-mm", ("f32", "default")),
        ("h100-0.12-mmbf", ("bf16", "default")),
        ("h100-0.12-triton-mm_highest", ("f32", "highest")),
        ("h100-0.12-cplx", ("f32", "default")),
    ],
)
def test_what_products_are_made_on(name, numbers):
    costs = program_cost(hlo.parse((RECORDED / f"{name}.hlo").read_text()))
    [found] = {one.numbers for one in costs.instructions if one.numbers and one.numbers.is_product}
    assert (found.dtype, found.precision) == numbers
