"""`explore`: each line of each text, against what `source` and `cost` say, and against JAX's own metadata."""

import functools
import re

import pytest

from jitinspect import specs
from jitinspect.errors import UsageError
from jitinspect.ir import op_names
from jitinspect.ir.attribution import attribute
from jitinspect.process.paths import relative
from jitinspect.readings import cost, explore, source
from jitinspect.render.json import from_json, to_json
from jitinspect.stages import inspection
from jitinspect.stages.parsing import program
from jitinspect.stages.pipeline import STAGE_READERS, Options
from tests.support.explored import NAMES, calls

STAGES = ("jaxpr", "stablehlo", "hlo")


class Explored:
    """One function, with all that is compared."""

    def __init__(self, name):
        function, arguments = calls()[name]
        self.reports = {}
        for reading in (source, cost, explore):
            request = inspection.Request(command="", ref="", stages=())
            reader = functools.partial(self._kept, reading)
            self.reports[reading] = inspection.read_call(function, (arguments, {}), request, reader)
        self.exploration = self.reports[explore].exploration
        self.panes = {pane.name: pane for pane in self.exploration.panes}

    def _kept(self, reading, target, subjects):
        subject = next(subjects)
        self.pipeline, self.file = subject.pipeline, target.file
        return reading.read(target, iter([subject]))

    def origins(self, pane, line):
        return [self.exploration.origins[at] for at in self.exploration.sets[pane.origins[line]]]

    def lines(self, origin):
        places = [self.exploration.places[at] for at in origin.places]
        return tuple((self.exploration.files[one.file], one.line) for one in places)


@pytest.fixture(scope="module", params=NAMES)
def explored(request):
    return Explored(request.param)


def test_the_texts_are_those_of_the_commands_and_each_line_has_a_set(explored):
    for stage in (*STAGES, "llvm", "asm"):
        pane = explored.panes[stage]
        assert pane.unavailable is None and pane.language == stage
        assert pane.text == STAGE_READERS[stage](explored.pipeline, Options()).text
        assert len(pane.origins) == pane.text.count("\n") + 1
        assert max(pane.origins) < len(explored.exploration.sets)
    assert explored.exploration.sets[0] == ()


def test_each_operation_begins_at_the_lines_that_source_charges(explored):
    for stage in STAGES:
        parsed = program(stage, explored.pipeline)
        attribution = attribute(parsed, explored.file)
        expected = {}
        for one in parsed.operations():
            lines = {(relative(line.file), line.line) for line in attribution.lines(one)}
            expected.setdefault(one.start, set()).update(lines)
        for number, lines in expected.items():
            origins = explored.origins(explored.panes[stage], number)
            assert {explored.lines(one)[0] for one in origins if one.places} == lines


def test_names_are_jaxs_own(explored):
    """Those of the executable, by `op_name`, and all that they share with the jaxpr."""
    parsed = program("hlo", explored.pipeline)
    raw = explored.pipeline.compiled.as_text().split("\n")
    rows = [line for line in raw if line.startswith("  ") and " = " in line]
    named = {one.names[0]: op_names.op_name(row) for one, row in zip(parsed.operations(), rows, strict=True)}
    words = {"closed_call", "eval_jaxpr"}
    for one in parsed.operations():
        if one.frames and one.opcode != "fusion":
            _, _, path = named[one.names[0]].partition("/")
            expected = "/".join(word for word in path.split("/") if word not in words)
            found = [origin.op for origin in explored.origins(explored.panes["hlo"], one.start)]
            assert found == [expected] or re.search("[;:]", path), named[one.names[0]]


def test_what_the_jaxpr_and_the_executable_share_has_one_line_and_one_primitive(explored):
    """Two have the same origin only if they have the same primitive: that is the last word of their name."""
    equations = {}
    jaxpr = program("jaxpr", explored.pipeline)
    for one in jaxpr.operations():
        for origin in explored.origins(explored.panes["jaxpr"], one.start):
            equations.setdefault(origin, []).append(one)
    pairs = 0
    for one in program("hlo", explored.pipeline).operations():
        if not one.frames or one.opcode == "fusion":
            continue
        for origin in explored.origins(explored.panes["hlo"], one.start):
            for equation in equations.get(origin, ()) if origin.op else ():
                primitive = {"scan": "while"}.get(equation.opcode, equation.opcode)
                is_jit = primitive in ("jit", "pjit") and "jit(" in origin.op
                assert is_jit or origin.op.rpartition("/")[2] == primitive, origin
                pairs += 1
    assert pairs >= 3


def test_costs_of_lines_are_those_of_cost_together(explored):
    total, pane = explored.reports[cost].cost, explored.panes["hlo"]
    assert sum(one.flops for one in pane.costs) == total.flops
    assert sum(one.bytes for one in pane.costs) == total.bytes
    fused = {line for first, last in pane.folds for line in range(first, last)}
    starts = {one.start: one for one in program("hlo", explored.pipeline).operations()}
    assert all(one.line in starts and one.line in fused for one in pane.costs)


def test_costs_of_lines_of_python_are_those_of_source(explored):
    lines = {(one.file, one.line): one for one in explored.reports[source].source.lines}
    for pane in explored.exploration.panes:
        if pane.file is not None:
            for one in pane.costs:
                line = lines[explored.exploration.files[pane.file], pane.first + one.line]
                assert (one.flops, one.bytes) == (line.flops, line.bytes)
    shown = sum(
        one.flops for pane in explored.exploration.panes if pane.file is not None for one in pane.costs
    )
    assert shown == sum(one.flops for one in lines.values())


def test_python_panes_are_the_files_from_their_first_line(explored):
    python = [pane for pane in explored.exploration.panes if pane.file is not None]
    assert python and python[0].first == 1 and not python[0].origins
    for pane in python:
        written = open(explored.exploration.files[pane.file]).read().split("\n")  # noqa: SIM115
        lines = pane.text.split("\n")
        assert lines == written[pane.first - 1 : pane.first - 1 + len(lines)]


def test_operands_are_lines_that_define_what_is_used(explored):
    pane = explored.panes["hlo"]
    lines = pane.text.split("\n")
    assert pane.operands
    user = 0
    for step, *back in pane.operands:
        user += step
        for line in (user - lines for lines in back):
            name = lines[line].strip().removeprefix("ROOT ").partition(" = ")[0]
            assert re.search(rf"{re.escape(name)}\b", lines[user].partition(" = ")[2])


def test_a_kernel_has_the_origins_of_its_instructions(explored):
    instructions = {one.names[0]: one.start for one in program("hlo", explored.pipeline).operations()}
    for stage in ("llvm", "asm"):
        pane = explored.panes[stage]
        for first, last in pane.folds:
            header = pane.text.split("\n")[first]
            names = re.findall(r"%([\w.\-]+)", header)
            expected = {
                one for name in names for one in explored.origins(explored.panes["hlo"], instructions[name])
            }
            for line in (first, (first + last) // 2, last):
                assert {*explored.origins(pane, line)} == expected


def test_it_is_the_same_after_json(explored):
    report = explored.reports[explore]
    assert from_json(to_json(report)) == report


def test_a_sweep_is_refused():
    arguments = (specs.Argument(None, specs.parse_shape("N,4", "f32")),)
    request = inspection.Request("explore", "samples.mlp:normalize", (), arguments, dims={"N": (1, 2)})
    with pytest.raises(UsageError, match="explore shows a single call"):
        inspection.read(request, explore.read)
