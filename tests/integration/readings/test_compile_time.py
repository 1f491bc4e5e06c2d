"""Where the time of real compilations goes: the parts are the whole, and the slow one comes first."""

import functools
import json
import signal
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import linen

import jitinspect
from jitinspect.errors import UnavailableError
from jitinspect.readings import compile_time
from jitinspect.render.json import from_json, to_json
from jitinspect.specs import parse_argument
from jitinspect.stages.inspection import Request, read_call
from tests.support.measured import one_of_three_runs

VECTOR, MATRIX = (jax.ShapeDtypeStruct(shape, jnp.float32) for shape in ((64,), (32, 32)))
IMAGE = jax.ShapeDtypeStruct((1, 8, 8, 2), jnp.float32)
TABLE = np.random.default_rng(0).random((64, 64), np.float32)


def unrolled(x):
    for n in range(12):
        x = jnp.tanh(x * n) @ x
    return x


def descent(x):
    optimizer = optax.adam(1e-2)
    updates, _ = optimizer.update(jax.grad(lambda x: jnp.sum(x**4))(x), optimizer.init(x), x)
    return optax.apply_updates(x, updates)


def convolved(x):
    class Net(linen.Module):
        @linen.compact
        def __call__(self, x):
            return linen.Dense(4)(linen.relu(linen.Conv(4, (3, 3))(x)).mean((1, 2)))

    return Net().init_with_output(jax.random.key(0), x)[0]


def branches(x):
    return jax.lax.cond(x.sum() > 0, jnp.sin, lambda x: jnp.sort(x) * 2, x)


def loop(x):
    return jax.lax.while_loop(lambda c: c.sum() < 9, lambda c: jnp.cos(c) + 1.1, x)


PROGRAMS = {
    "one addition": (lambda x: x + 1, VECTOR),
    "nothing": (lambda x: x, VECTOR),
    "a product": (lambda x: x @ x, MATRIX),
    "a sort": (jnp.sort, VECTOR),
    "a prefix sum": (jnp.cumsum, VECTOR),
    "an FFT": (jnp.fft.fft, VECTOR),
    "an inverse": (jnp.linalg.inv, MATRIX),
    "eigenvalues": (jnp.linalg.eigh, MATRIX),
    "a scan": (lambda x: jax.lax.scan(lambda c, _: (jnp.tanh(c @ c), None), x, None, length=9)[0], MATRIX),
    "a loop": (loop, VECTOR),
    "branches": (branches, VECTOR),
    "unrolled layers": (unrolled, MATRIX),
    "a constant": (lambda x: x + jnp.asarray(TABLE), VECTOR),
    "a gradient": (jax.grad(lambda x: jnp.tanh(x @ x).sum()), MATRIX),
    "a batch": (jax.vmap(lambda x, y: jnp.outer(x, y) + 1), MATRIX, MATRIX),
    "random numbers": (lambda x: x + jax.random.normal(jax.random.key(1), x.shape), VECTOR),
    "a scatter": (lambda x: x.at[jnp.array([1, 5])].add(3.0), VECTOR),
    "a gather": (lambda x: x[jnp.argsort(x)], VECTOR),
    "a convolution": (convolved, IMAGE),
    "an optimizer": (descent, VECTOR),
    "a callback": (lambda x: jax.pure_callback(np.sin, VECTOR, x), VECTOR),
}


def report_of(function, *arguments, reader=compile_time.read):
    """Of a new function, so that JAX has nothing of it."""
    request = Request(command="compile-time", ref="", stages=())
    return read_call(functools.partial(function), (arguments, {}), request, reader)


@functools.cache
def made(name):
    """Measured up to three times, until nothing else had the processor between two readings of the clock."""
    for _ in range(3):
        time = report_of(*PROGRAMS[name]).compile_time
        if sum(phase.seconds for phase in time.phases) == as_long_as(time.wall_seconds["compile"]):
            break
    return time


as_long_as = functools.partial(pytest.approx, rel=0.05)


each_program = pytest.mark.parametrize("name", PROGRAMS)


@each_program
def test_the_phases_are_the_whole_compilation(name):
    time = made(name)
    wall = time.wall_seconds["compile"]
    assert sum(phase.seconds for phase in time.phases) == as_long_as(wall)
    assert sum(phase.share for phase in time.phases) == pytest.approx(1, rel=0.05)
    assert [phase.seconds for phase in time.phases] == sorted((p.seconds for p in time.phases), reverse=True)
    assert all(phase.seconds >= 0 for phase in time.phases)


@each_program
def test_what_each_thread_did_is_at_most_as_long_as_the_compilation(name):
    time = made(name)
    threads = {}
    for stack in time.stacks:
        if stack.frames[0] == "compile":
            threads[stack.frames[1]] = threads.get(stack.frames[1], 0) + stack.seconds
    wall = time.wall_seconds["compile"]
    assert threads.pop("compiling thread") == as_long_as(wall)
    assert all(spent <= wall * 1.05 for spent in threads.values()) and len(threads) == time.threads - 1
    assert time.thread_seconds >= wall * 0.95
    assert {one.kernel for one in time.kernels} <= {stack.frames[-1] for stack in time.stacks}


@each_program
def test_passes_and_kernels_are_parts_of_their_phases(name):
    time = made(name)
    seconds = {phase.phase: phase for phase in time.phases}
    of_passes = ("HLO passes before layout", "HLO passes after layout", "fusion", "partitioner")
    passes = sum(seconds[name].seconds for name in of_passes if name in seconds)
    assert sum(one.seconds for one in time.passes) == pytest.approx(passes)
    kernels = sum(seconds[name].seconds for name in ("LLVM", "code generation") if name in seconds)
    assert sum(one.seconds for one in time.kernels) <= kernels * 1.0001
    for one in time.kernels:
        assert one.thread_seconds == pytest.approx(one.codegen_seconds + (one.llvm_seconds or 0.0))
        assert one.seconds <= one.thread_seconds * 1.0001


@each_program
def test_each_kernel_is_an_instruction_with_lines_of_the_program(name):
    kernels = made(name).kernels
    assert all(one.instructions for one in kernels), kernels
    with_lines = [one for one in kernels if one.lines]
    assert len(with_lines) >= 0.8 * len(kernels)


def test_a_report_is_read_back():
    report = report_of(*PROGRAMS["one addition"])
    assert from_json(to_json(report)) == report


def slow_kernel(x):
    small = jnp.sort(x) * 2
    for n in range(150):
        x = jnp.tanh(x) * jnp.sin(x + n)
    return x, small


@one_of_three_runs
def test_a_slow_kernel_comes_first_and_so_does_its_line():
    time = report_of(slow_kernel, VECTOR).compile_time
    first, second, *_ = time.kernels
    assert first.seconds > 2 * second.seconds and first.instructions > 100
    line = slow_kernel.__code__.co_firstlineno + 3
    assert [place.rpartition("/")[2] for place in first.lines] == [f"test_compile_time.py:{line}"]
    slowest = max(time.by_line, key=lambda one: one.compile_seconds)
    assert slowest.line == line and slowest.text == "x = jnp.tanh(x) * jnp.sin(x + n)"


SIZES = (2, 40, 10, 160)
"""So far apart that a busy machine does not make a smaller one take longer."""


def kernels_of_sizes(x):
    """Kernels of so many operations, none of which can be fused with another."""
    found = []
    for size in SIZES:
        y = x + size
        for n in range(size):
            y = jnp.tanh(y) * jnp.sin(y + n)
        found.append(y)
        x = jax.lax.optimization_barrier(y)
    return found


@one_of_three_runs
def test_llvm_takes_longer_for_larger_kernels():
    """Which could not be if another's time were taken for a kernel's."""
    kernels = report_of(kernels_of_sizes, VECTOR).compile_time.kernels
    known = sorted(
        one for one in ((k.instructions, k.llvm_seconds, bool(k.swappable)) for k in kernels) if one[1]
    )
    assert len(known) >= len(SIZES)
    sure = [llvm for _, llvm, is_unsure in known[-3:] if not is_unsure]
    assert sure == sorted(sure) and len(sure) >= 2


def test_nearly_all_kernels_are_found_in_what_llvm_did():
    kernels = [one for name in PROGRAMS for one in made(name).kernels]
    assert sum(one.llvm_seconds is not None for one in kernels) >= 0.9 * len(kernels)


def test_the_seconds_of_kernels_are_those_of_their_lines():
    time = made("unrolled layers")
    of_kernels = sum(one.seconds for one in time.kernels if one.lines)
    assert sum(one.compile_seconds for one in time.by_line) == pytest.approx(of_kernels)


def long_traced(x):
    """Its trace takes some dozens of samples: in that of a short one there may be none."""
    for n in range(300):
        x = jnp.tanh(x * n)
    return x


def test_tracing_and_lowering_have_lines_functions_and_primitives():
    time = report_of(long_traced, VECTOR).compile_time
    wall = time.wall_seconds
    for stage, seconds in (("trace", sum(one.trace_seconds for one in time.by_line)),
                           ("lower", sum(one.lower_seconds for one in time.by_line))):  # fmt: skip
        assert seconds <= wall[stage] * 1.01
    assert any(one.function == "long_traced" for one in time.functions)
    assert {stack.frames[0] for stack in time.stacks} == {"trace", "lower", "compile"}
    assert time.sampling_seconds < wall["trace"] + wall["lower"]


def layers(x, sizes):
    for n in range(sizes.shape[0]):
        x = jnp.tanh(x * n) @ x
    return x


def test_a_sweep_has_each_size_and_how_the_parts_grow_beside_the_program():
    arguments = tuple(map(parse_argument, ("f32[8,8]", "f32[N]")))
    request = Request("compile-time", "", (), arguments, dims={"N": (2, 4, 8)})
    report = read_call(functools.partial(layers), ((), {}), request, compile_time.read)
    assert [one.dims for one in report.sweep] == [{"N": 2}, {"N": 4}, {"N": 8}]
    assert report.compile_time == report.sweep[0] and report.target.signature == report.sweep[0].signature
    sizes = [one.instructions for one in report.sweep]
    assert sizes[2] - sizes[1] == 2 * (sizes[1] - sizes[0]) > 0
    (compile_,) = (one for one in report.growth if one.part == "compile")
    assert compile_.dim == "N" and 0.5 < compile_.program < 1.5
    assert from_json(to_json(report)) == report


def test_a_profile_of_the_program_is_left_alone(tmp_path):
    jax.profiler.start_trace(str(tmp_path))
    try:
        with pytest.raises(UnavailableError, match="records a profile itself"):
            report_of(*PROGRAMS["a product"])
    finally:
        jax.profiler.stop_trace()


def test_what_is_lowered_for_another_platform_is_refused():
    def elsewhere(target, subjects):
        (subject,) = subjects
        lowered = subject.pipeline.traced.lower(lowering_platforms=("tpu",))
        pipeline = SimpleNamespace(traced=subject.pipeline.traced, lowered=lowered)
        moved = SimpleNamespace(pipeline=pipeline, signature="", dims={}, device="", muted=subject.muted)
        return compile_time.read(target, iter([moved]))

    with pytest.raises(UnavailableError, match=r"compiler only; this is for tpu"):
        report_of(unrolled, MATRIX, reader=elsewhere)


def test_from_python_it_is_a_reading_like_the_others():
    reading = jitinspect.read("compile-time", functools.partial(unrolled), np.ones((8, 8), np.float32))
    assert "by kernel" in repr(reading) and "by kernel" in reading._repr_html_()
    document = json.loads(reading.to_json())
    assert {"wall_seconds", "phases", "passes", "kernels", "by_line", "advice"} <= {*document["compile_time"]}


def test_a_function_that_takes_the_timer_for_itself_is_told_of():
    def times_out(x):
        signal.signal(signal.SIGALRM, lambda *_: None)
        return x + 1

    before = signal.getsignal(signal.SIGALRM)
    try:
        notes = report_of(times_out, VECTOR).compile_time.notes
    finally:
        signal.signal(signal.SIGALRM, before)
    assert any("SIGALRM" in note and "trace" in note for note in notes)
    assert not any("SIGALRM" in note for note in report_of(lambda x: x + 1, VECTOR).compile_time.notes)
