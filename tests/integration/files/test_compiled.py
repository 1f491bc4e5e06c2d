"""Files that are already compiled, read as the function is from which they came."""

import gzip
import pickle
import re
from dataclasses import replace
from pathlib import Path

import jax
import pytest
from jax.experimental.serialize_executable import serialize

from jitinspect.errors import LoadError, UnavailableError
from jitinspect.files.opening import opened
from jitinspect.jaxapi.executables import dumps
from jitinspect.readings import constants, cost, passes, sharding, source
from jitinspect.stages import inspection
from jitinspect.stages.inspection import Request
from tests.support import saved_entries
from tests.support.program_samples import CASES

ENTRIES = sorted(Path(saved_entries.__file__).parent.glob("*.gz"))
OF_BUFFERS = ("peak_bytes", "memory", "buffers", "no_buffers")
READINGS = {"cost": cost.read, "source": source.read}


def hlo_of(path, **asked):
    request = Request("hlo", str(path), ("hlo",), **asked)
    return inspection.inspect(request, opener=opened).artifacts[0].text


def reading_of(path, reader, **asked):
    return inspection.read(Request("", str(path), (), **asked), reader, opener=opened)


class Compiled:
    """A function of the samples: what readings of it say, and what it compiles to."""

    def __init__(self, name):
        self.function, *self.arguments = CASES[name]()
        self.call = (tuple(self.arguments), {})
        self.hlo = (
            inspection.inspect_call(self.function, self.call, Request("", "", ("hlo",))).artifacts[0].text
        )
        self.reports = {}
        for command, read in READINGS.items():
            self.reports[command] = inspection.read_call(
                self.function, self.call, Request("", "", ()), self.kept(read)
            )

    def kept(self, read):
        def reader(target, subjects):
            (subject,) = subjects
            self.pipeline = subject.pipeline
            return read(target, iter([subject]))

        return reader


KNOWN = {}


def compiled(name):
    if name not in KNOWN:
        KNOWN[name] = Compiled(name)
    return KNOWN[name]


def written(path, made, form):
    executable = made.pipeline.compiled.runtime_executable()
    if form == "text":
        path.write_text(made.pipeline.compiled.as_text())
    elif form == "pickle":
        path.write_bytes(serialize(made.pipeline.compiled)[0])
    else:
        path.write_bytes(executable.serialize())
    return path


NAMES = (
    "loss_fn",
    "sgd_step",
    "loops",
    "branches",
    "indexing",
    "linear algebra",
    "flax and optax",
    "equinox",
)


@pytest.mark.parametrize("form", ["text", "pickle", "executable"])
@pytest.mark.parametrize("name", NAMES)
def test_readings_are_those_of_the_function(tmp_path, name, form):
    made = compiled(name)
    path = written(tmp_path / "step", made, form)
    assert hlo_of(path) == made.hlo
    found, own = reading_of(path, cost.read).cost, made.reports["cost"].cost
    unknown = {**({one: getattr(own, one) for one in OF_BUFFERS} if form == "text" else {}), "xla": own.xla}
    assert replace(found, signature=own.signature, **unknown) == own
    if form != "text":
        assert replace(found.xla, peak_bytes=own.xla.peak_bytes) == own.xla
    report, own = reading_of(path, source.read), made.reports["source"]
    assert (report.target.file, report.target.line) == (own.target.file, own.target.line)
    assert report.source.stages == ("hlo",)
    assert report.source.lines == tuple(replace(one, equations=0, operations=0) for one in own.source.lines)


def test_a_proto_has_all_but_the_configuration(tmp_path):
    made = compiled("loss_fn")
    module = made.pipeline.compiled.runtime_executable().hlo_modules()[0]
    proto = module.as_serialized_hlo_module_proto()
    (tmp_path / "step.pb").write_bytes(proto)
    inside = bytes([10]) + _varint(len(proto)) + proto  # an HloProto
    (tmp_path / "dump.pb").write_bytes(inside)
    text = hlo_of(tmp_path / "step.pb")
    assert text == hlo_of(tmp_path / "dump.pb")
    assert text.split("\n")[1:] == made.hlo.split("\n")[1:]


def _varint(number):
    return bytes([number & 0x7F | 0x80]) + _varint(number >> 7) if number > 0x7F else bytes([number])


def test_readable_text_tells_no_lines(tmp_path):
    (tmp_path / "step.hlo").write_text(compiled("loss_fn").hlo)
    notes = []
    listeners = inspection.Listeners(on_note=notes.append)
    request = Request("cost", str(tmp_path / "step.hlo"), ())
    report = inspection.read(request, cost.read, listeners, opened)
    assert report.cost.flops == compiled("loss_fn").reports["cost"].cost.flops
    assert [row.line for row in report.cost.by_line] == [None]
    assert any("no source lines" in note for note in notes)


def test_arrays_in_the_module_are_its_constants(tmp_path):
    table = jax.numpy.arange(5.0) ** 2

    def f(x):
        return x + jax.numpy.asarray([1.0, 2.0, 4.0, 8.0, 9.0]) * jax.numpy.asarray(table)

    text = jax.jit(f).lower(jax.ShapeDtypeStruct((5,), "float32")).compile().as_text()
    (tmp_path / "f.hlo").write_text(text)
    report = reading_of(tmp_path / "f.hlo", constants.read)
    assert report.of_file and all(row.type.endswith("[5]") for row in report.constants)
    assert len(report.constants) == text.count("f32[5]{0} constant(") > 0


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda path: path.name)
def test_entries_of_other_versions_are_read(tmp_path, entry):
    path = tmp_path / "jit_step-cache"
    path.write_bytes(gzip.decompress(entry.read_bytes()))
    assert hlo_of(path).startswith("HloModule jit_step, is_scheduled=true, entry_computation_layout=")
    report = reading_of(path, source.read)
    assert report.target.signature == "step(params['b']: f32[32], params['w']: f32[64,32], x: f32[16,64])"
    assert report.target.file == "step.py"
    assert [(one.line, one.flops > 0) for one in report.source.lines] == [(6, True), (7, True)]
    assert reading_of(path, cost.read).cost.peak_bytes > 64 * 32 * 4
    rows = reading_of(path, sharding.read).sharding
    assert [row.path for row in rows][:3] == ["params['b']", "params['w']", "x"]
    assert {row.form for row in rows} == {"one device"}


def test_what_it_does_not_tell_is_refused(tmp_path):
    path = tmp_path / "step.hlo"
    path.write_text(compiled("loss_fn").pipeline.compiled.as_text())
    for stage in ("jaxpr", "stablehlo", "hlo-before", "llvm"):
        with pytest.raises(UnavailableError):
            inspection.inspect(Request("", str(path), (stage,)), opener=opened)
    with pytest.raises(UnavailableError):
        reading_of(path, passes.read)


class Touch:
    """Touches a file if it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_nothing_is_unpickled(tmp_path):
    touched = tmp_path / "touched"
    (tmp_path / "evil").write_bytes(pickle.dumps(Touch(touched)))
    with pytest.raises(LoadError, match="no executable"):
        hlo_of(tmp_path / "evil")
    assert not touched.exists()
    pickle.loads((tmp_path / "evil").read_bytes())
    assert touched.exists()


def test_an_executable_for_another_platform_has_no_module(tmp_path):
    header = b"\x08\x03\x12\tpjrt_ifrt:\x08jit_step" + b"J\x10TpuXlaExecutable"
    (tmp_path / "tpu").write_bytes(bytes([len(header)]) + header + b"machine code")
    with pytest.raises(UnavailableError, match="for a TPU, for which executables hold machine code"):
        hlo_of(tmp_path / "tpu")


def test_a_dump_folder_is_read_as_the_function():
    made = compiled("loss_fn")
    own = inspection.read_call(made.function, made.call, Request("", "", ()), passes.read)
    with dumps.passes_dumped(made.pipeline.lowered) as (folder, _):
        report = reading_of(folder, passes.read)
        assert [numbered(one) for one in report.passes] == [numbered(one) for one in own.passes]
        assert hlo_of(folder) == hlo_of(f"{folder}/:loss_fn")
        found, known = reading_of(folder, cost.read).cost, made.reports["cost"].cost
        before = inspection.inspect(Request("", str(folder), ("hlo-before",)), opener=opened).artifacts[0]
        given = inspection.inspect_call(made.function, made.call, Request("", "", ("hlo-before",)))
    assert (found.flops, found.bytes, found.peak_bytes) == (known.flops, known.bytes, known.peak_bytes)
    assert [one.bytes for one in found.buffers] == [one.bytes for one in known.buffers]
    assert before.text.count(" = ") == given.artifacts[0].text.count(" = ") > 5


def numbered(made):
    """XLA numbers some passes of a process: `apply-xla-transforms-30`."""
    return replace(made, signature="", pass_=re.sub(r"-\d+$", "", made.pass_))
