"""`fit` of what real compilers for TPU and CUDA said, beside what they said of it themselves."""

import functools
import json
from contextlib import nullcontext
from dataclasses import dataclass, replace
from types import SimpleNamespace

import jax
import pytest

from jitinspect.jaxapi.executables.absent import AbsentExecutable, Outcome
from jitinspect.model import Target
from jitinspect.readings import fit
from jitinspect.render.json import from_json, to_json
from jitinspect.stages.inspection import Subject
from jitinspect.stages.pipeline import Pipeline
from jitinspect.targets.jitting import jitted
from jitinspect.targets.loading import named
from tests.support import dumps
from tests.support.dumps.functions import CALLS

GIB = 2**30
TARGET = Target("t:f", "t", "f", "/dumps/functions.py", 1, (), (), "")
BOTH = pytest.mark.parametrize("version", dumps.VERSIONS)


@dataclass(frozen=True)
class Memory:
    memory: int
    usable: int | None = None


@dataclass(frozen=True)
class Device:
    text: str
    device: Memory


V5E = Device("v5e", Memory(16 * GIB, 8062 * 2 * 2**20))
H100 = Device("h100", Memory(84_942_979_072))


class Compiled:
    """What a compiler process hands over, as it was recorded."""

    def __init__(self, recorded):
        self.texts, self.refused, self._memory = recorded.texts, recorded.refused, recorded.memory

    def as_text(self):
        return self.texts.hlo or None

    def runtime_executable(self):
        texts = self.texts
        return AbsentExecutable(
            Outcome(
                texts=(texts.hlo,),
                assignment=texts.buffer_assignment,
                live_ranges=texts.live_ranges,
                refused=self.refused,
            )
        )

    def memory_analysis(self):
        return SimpleNamespace(**self._memory) if self._memory else None


def types(shapes):
    if isinstance(shapes, dict):
        return {name: types(one) for name, one in shapes.items()}
    if isinstance(shapes, list):
        return [types(one) for one in shapes]
    return jax.ShapeDtypeStruct(*shapes)


def subject(name, compiled, **more):
    """The call whose dump was recorded under `name`, traced and lowered here."""
    function, arguments = CALLS[name]
    args = tuple(map(types, arguments))
    jit = jitted(named(function))
    pipeline = Pipeline(functools.partial(jit.trace, *args))
    pipeline.__dict__["compiled"] = compiled
    return Subject(pipeline, jit, (args, {}), f"{name}()", more.pop("dims", {}), None, nullcontext, **more)


def fit_of(name, device, version, full=False, **changed):
    recorded = replace(dumps.recorded(f"{name}-{device.text}-{version}"), **changed)
    report = fit.read(TARGET, iter([subject(name, Compiled(recorded))]), [device], full=full)
    assert from_json(to_json(report)) == report
    return report.fit[0], recorded


@BOTH
@pytest.mark.parametrize("name", ["step", "layers", "loop"])
@pytest.mark.parametrize("device", [V5E, H100], ids=lambda device: device.text)
def test_the_figures_are_those_of_memory_analysis(name, device, version):
    found, recorded = fit_of(name, device, version)
    assert found.fits and found.refusal is None and found.unknown is None
    memory = recorded.memory
    assert found.peak_bytes == pytest.approx(memory["peak_memory_in_bytes"], rel=1e-6)
    assert found.argument_bytes == memory["argument_size_in_bytes"]
    assert found.output_bytes == memory["output_size_in_bytes"]
    assert found.aliased_bytes == memory["alias_size_in_bytes"]
    assert found.peak_bytes <= found.needed_bytes <= found.limit_bytes
    assert found.left_bytes == found.limit_bytes - found.needed_bytes


@BOTH
@pytest.mark.parametrize("device", [V5E, H100], ids=lambda device: device.text)
def test_buffers_add_up_to_the_peak_the_largest_first(device, version):
    found, _ = fit_of("layers", device, version)
    assert sum(buffer.bytes for buffer in found.buffers) == found.peak_bytes
    sizes = [buffer.bytes for buffer in found.buffers]
    assert sizes == sorted(sizes, reverse=True)
    for buffer in found.buffers:
        first, last = buffer.live
        assert not buffer.is_alive or first <= found.moment.step <= last


@BOTH
def test_arguments_have_paths_and_temporaries_have_lines(version):
    found, _ = fit_of("layers", V5E, version)
    arguments = {buffer.argument: buffer for buffer in found.buffers if buffer.kind == "argument"}
    assert arguments.keys() == {"ws[0]", "ws[1]", "ws[2]", "x"}
    assert (arguments["x"].bytes, arguments["x"].type) == (20480 * 16384 * 4, "f32[20480,16384]")
    made = [buffer for buffer in found.buffers if buffer.kind == "temp"]
    assert made and all(buffer.line == f"/dumps/functions.py:{LINE}" for buffer in made)
    assert found.moment.steps > found.moment.step and found.moment.instruction


def line_of(text):
    """The number of the line of the recorded functions that has `text`."""
    lines = (dumps.FOLDER / "functions.py").read_text().splitlines()
    return next(at for at, line in enumerate(lines, 1) if text in line)


LINE = line_of("hidden = jnp.tanh(hidden @ w)")


@BOTH
def test_a_donated_argument_is_listed_once(version):
    found, _ = fit_of("step", V5E, version)
    of_w1 = [buffer for buffer in found.buffers if buffer.argument == "params['w1']"]
    assert [buffer.bytes for buffer in of_w1] == [8192 * 8192 * 4]
    assert found.aliased_bytes == 8192 * (8192 + 512) * 4


@BOTH
def test_what_the_compiler_refused_has_its_buffers_and_what_was_rematerialized(version):
    found, recorded = fit_of("layers-refused", V5E, version)
    assert not found.fits and found.left_bytes < 0
    assert found.needed_bytes == pytest.approx(found.refusal.needed_bytes, abs=GIB / 100)
    assert found.refusal.limit_bytes == round(15.75 * GIB) and found.refusal.memory == "HBM"
    assert found.refusal.message == recorded.refused.split("\n")[0]
    assert sum(buffer.bytes for buffer in found.buffers) == found.peak_bytes
    (row,) = found.rematerialized
    assert row.line == f"/dumps/functions.py:{LINE}" and all(".remat" in name for name in row.instructions)
    assert row.bytes == len(row.instructions) * 65536 * 16384 * 4


@BOTH
def test_cuda_refuses_nothing_so_the_device_s_memory_decides(version):
    found, _ = fit_of("layers-refused", H100, version)
    assert found.fits, "there are 85 GB"
    small = Device("h100", Memory(found.needed_bytes - 1))
    refused, _ = fit_of("layers-refused", small, version, full=True)
    assert not refused.fits and refused.left_bytes == -1 and refused.refusal is None


@BOTH
def test_the_compiler_has_the_last_word(version):
    """What it compiled to the end fits, though the limit that is known is a little low."""
    found, recorded = fit_of("layers", V5E, version)
    tight = Device("v5e", Memory(16 * GIB, found.needed_bytes - 1))
    assert not fit_of("layers", tight, version)[0].fits
    full, _ = fit_of("layers", tight, version, full=True)
    assert full.fits and full.left_bytes == 0
    assert full.code_bytes == recorded.memory["generated_code_size_in_bytes"]
    assert full.needed_bytes == found.needed_bytes + full.code_bytes
    assert full.xla["peak"] == recorded.memory["peak_memory_in_bytes"]


@BOTH
@pytest.mark.parametrize("spare", [-(2**20), 0, 2**20])
def test_close_to_the_limit_only_the_full_compile_is_certain(spare, version):
    found, _ = fit_of("layers", V5E, version)
    assert found.certain
    close = Device("v5e", Memory(16 * GIB, found.needed_bytes + spare))
    assert not fit_of("layers", close, version)[0].certain
    assert fit_of("layers", close, version, full=True)[0].certain
    assert fit_of("layers-refused", close, version)[0].certain, "the compiler has spoken"
    cuda, _ = fit_of("layers", H100, version)
    small = Device("h100", Memory(cuda.needed_bytes + spare))
    assert fit_of("layers", small, version)[0].certain, "no compiler would decide otherwise"


@BOTH
def test_refused_in_the_end(version):
    """The buffers alone would fit, with the machine code they do not."""
    found, _ = fit_of("late", Device("v5e", Memory(16 * GIB, 16 * GIB)), version, full=True)
    assert not found.fits and found.refusal.memory == "HBM"


@BOTH
def test_vmem_is_told_apart(version):
    """The scalars lie in VMEM or SMEM as far as they are not arguments; XLA's peak may count them."""
    found, recorded = fit_of("step", V5E, version)
    assert 0 < found.elsewhere["VMEM"] <= 128 * 2**20
    total = sum(found.elsewhere.values()) + found.needed_bytes
    lines = recorded.texts.buffer_assignment.splitlines()
    assert total == sum(int(line.split()[3].rstrip(",")) for line in lines if line.startswith("allocation"))


@BOTH
@pytest.mark.parametrize("device", [V5E, H100], ids=lambda device: device.text)
def test_the_state_of_a_loop_has_the_line_of_the_loop(device, version):
    found, _ = fit_of("loop", device, version)
    large = [buffer for buffer in found.buffers if buffer.bytes > 2**20 and buffer.argument is None]
    assert large and all(buffer.line.startswith("/dumps/functions.py:") for buffer in large)


@BOTH
def test_jax_takes_a_part_of_a_gpu(version):
    assert fit_of("loop", H100, version)[0].taken_bytes == 63_707_234_304
    assert fit_of("loop", V5E, version)[0].taken_bytes is None


@BOTH
def test_without_buffers_the_verdict_stands(version):
    nothing = dumps.Texts("", "", "")
    found, _ = fit_of("layers-refused", V5E, version, texts=nothing)
    assert not found.fits and found.needed_bytes == found.refusal.needed_bytes
    assert found.buffers == () and found.peak_bytes is None and "did not say" in found.unknown


@BOTH
def test_without_hlo_there_are_no_lines(version):
    texts = replace(dumps.recorded(f"layers-v5e-{version}").texts, hlo="")
    found, _ = fit_of("layers", V5E, version, texts=texts)
    assert found.buffers and not any(buffer.line for buffer in found.buffers)


@BOTH
def test_devices_in_turn(version):
    recorded = [dumps.recorded(f"layers-{device}-{version}") for device in ("v5e", "h100")]
    subjects = (subject("layers", Compiled(one)) for one in recorded * 2)
    found = fit.read(TARGET, subjects, [V5E, H100]).fit
    assert [one.target for one in found] == ["v5e", "h100", "v5e", "h100"]
    assert found[0].limit_bytes == V5E.device.usable and found[1].limit_bytes == H100.device.memory
    assert found[0] == found[2] and found[0].needed_bytes != found[1].needed_bytes


class Scaled:
    """A call whose recorded memory grows with B, and which remembers the sizes that were compiled."""

    def __init__(self, recorded):
        self.recorded, self.sizes = recorded, []

    def at(self, dims):
        self.sizes.append(dims["B"])
        text = self.recorded.texts.buffer_assignment.replace("size 1342177280", f"size {dims['B'] * 2**20}")
        compiled = Compiled(
            replace(self.recorded, texts=replace(self.recorded.texts, buffer_assignment=text))
        )
        return subject("layers", compiled, dims=dims, remade=self.at)


@BOTH
def test_the_largest_size_is_compiled_and_so_is_the_next(version):
    scaled, told = Scaled(dumps.recorded(f"layers-v5e-{version}")), []
    first = scaled.at({"B": 1})
    scaled.sizes.clear()
    report = fit.read(TARGET, iter([first]), [V5E], {"B": range(1, 100_001)}, on_step=told.append)
    (found,) = report.fit
    assert found.searched == "B" and found.largest == {"B": found.refused_size - 1}
    by_size = {step.size: step for step in found.steps}
    assert by_size[found.largest["B"]].fits and not by_size[found.refused_size].fits
    assert tuple(told) == found.steps and [step.size for step in told] == scaled.sizes
    assert found.fits and found.dims == found.largest and 0 <= found.left_bytes < 4 * 2**20
    document = json.loads(to_json(report))
    assert document["fit"][0]["largest"] == found.largest


@BOTH
def test_none_fits(version):
    scaled = Scaled(dumps.recorded(f"layers-v5e-{version}"))
    sizes = range(90_000, 100_001)
    report = fit.read(TARGET, iter([scaled.at({"B": 90_000})]), [V5E], {"B": sizes})
    (found,) = report.fit
    assert not found.fits and found.largest is None and found.refused_size == 90_000
    assert len(found.steps) == 1


@BOTH
def test_the_contract_of_the_json(version):
    found, _ = fit_of("layers", V5E, version)
    document = json.loads(to_json(fit.FitReport("fit", TARGET, (found,))))
    (row,) = document["fit"]
    keys = {
        "target", "fits", "limit_bytes", "peak_bytes", "argument_bytes", "output_bytes", "temporary_bytes",
        "full", "buffers", "largest",
    }  # fmt: skip
    assert keys <= row.keys() and row["full"] is False and row["largest"] is None
    assert {"bytes", "type", "line", "argument", "live"} <= row["buffers"][0].keys()
    assert all(len(buffer["live"]) == 2 for buffer in row["buffers"])
