"""Histories of instructions, compared with XLA's own dumps, which are read here line by line."""

import json
import re
from itertools import pairwise

import pytest

from jitinspect.model.readings import PassesReport
from jitinspect.readings.explore import exploration
from jitinspect.readings.pass_dumps import ran
from jitinspect.readings.pass_histories.histories import histories
from jitinspect.readings.pass_histories.recorder import Recorder
from jitinspect.readings.pass_histories.versions import versions
from jitinspect.stages import inspection
from tests.support.explored import calls

NAMES = ("loss_fn", "sgd_step", "transformer", "flax")
MOST = 150
"""Instructions whose histories are compared; of more, those at equal distances."""
_METADATA = re.compile(r", metadata=\{((?:[^\"{}]|\"(?:[^\"\\]|\\.)*\")*)\}")
_LAYOUT = re.compile(r"(\[[\d,<=]*\])\{([\d,]+)\}")


class Compiled:
    """One compilation: its dumps as they are read here, and what is compared with them."""

    def __init__(self, name):
        function, arguments = calls()[name]
        request = inspection.Request(command="passes", ref="", stages=())
        inspection.read_call(function, (arguments, {}), request, self._kept)
        self.names = [*dict.fromkeys(name for _, module in self.dumps for name in module)]

    def _kept(self, target, subjects):
        (subject,) = subjects
        with subject.pipeline.passes_dumped(metadata=True) as files:
            self.dumps = [*changed(files)]
            recorder = Recorder()
            for one in ran(files):
                recorder.add(one)
        self.history = recorder.history()
        self.histories = histories(self.history)
        self.exploration = exploration(subject, target.file, recorder=recorder)
        return PassesReport("passes", target, ())


def changed(files):
    """The pass and the instructions of each dump in which an instruction is another than before."""
    (given,) = (name for name in files if name.endswith("before_optimizations.txt"))
    start = given.removesuffix("before_optimizations.txt")
    numbered = re.compile(re.escape(start) + r"(\d+)\..+?\.after_(.+?)(?:\.before_.+)?\.txt")
    found = sorted((int(one[1]), one[2], one[0]) for name in files if (one := numbered.fullmatch(name)))
    (end,) = (name for name in files if name == f"{start}cpu_after_optimizations.txt")
    before = None
    for pass_, name in [
        ("", given),
        *((pass_, name) for _, pass_, name in found),
        ("after_optimizations", end),
    ]:
        module = instructions(files[name].read_text())
        if module != before:
            yield pass_, module
        before = module


def instructions(dump):
    """By its name, the line of each, its computation and its metadata."""
    found, computation = {}, ""
    for line in dump.split("\n"):
        if line.endswith("{") and not line.startswith(" "):
            computation = line.removeprefix("ENTRY ").split(" ")[0].lstrip("%")
        elif line.startswith("  ") and " = " in line:
            told = _METADATA.search(line)
            plain = sorted_keys(_LAYOUT.sub(shown, line.replace(told[0], "") if told else line).strip())
            name = plain.removeprefix("ROOT ").split(" = ")[0].lstrip("%")
            found[name] = (plain, computation, told[1] if told else "")
    return found


def sorted_keys(line):
    """XLA writes the same JSON in several orders."""
    start, found, config = line.partition(", backend_config=")
    if not config.startswith("{"):
        return line
    value, end = json.JSONDecoder().raw_decode(config)
    return start + found + json.dumps(value, sort_keys=True, separators=(",", ":")) + config[end:]


def shown(layout):
    """Without a layout in which the last dimension is the innermost."""
    usual = ",".join(map(str, range(layout[2].count(","), -1, -1)))
    return layout[1] if layout[2] == usual else layout[0]


@pytest.fixture(scope="module", params=NAMES)
def compiled(request):
    return Compiled(request.param)


def some(names):
    return names[:: max(1, len(names) // MOST)]


def expected(dumps, name):
    """What happened to the instruction that had a name last: pass, and the lines before and after."""
    there = [name in module for _, module in dumps]
    last = len(there) - 1 - there[::-1].index(True)
    first = next((at + 1 for at in range(last, -1, -1) if not there[at]), 0)
    for at in range(max(first, 1), min(last + 2, len(dumps))):
        (_, before), (pass_, after) = dumps[at - 1 : at + 1]
        was, now = before.get(name, (None, None))[:2], after.get(name, (None, None))[:2]
        if was != now:
            yield pass_, was, now


def test_a_history_has_each_change_of_the_name_and_no_other(compiled):
    for name in some(compiled.names):
        events = compiled.histories.of(name).events
        own = [
            (one.pass_, (one.before, one.from_computation), (one.after, one.computation))
            for one in events
            if one.instruction == name and one.event != "given"
        ]
        assert own == [*expected(compiled.dumps, name)], name


def test_indices_are_those_of_the_passes_in_their_order(compiled):
    for name in some(compiled.names):
        found = [one.index for one in compiled.histories.of(name).events if one.index is not None]
        assert found == sorted(found)


def test_what_is_linked_by_metadata_has_the_same_name_of_jax_in_the_dumps(compiled):
    links = 0
    for name, at, event, link in replacements(compiled):
        own, others = compiled.dumps[at - 1][1], compiled.dumps[at][1]
        if event.event == "appeared":
            own, others = others, own
        if link.how == "users":
            continue
        links += 1
        assert {op_name(others[one][2]) for one in link.others} == {op_name(own[name][2])} != {""}
        assert not {*link.others} & {*own} and name not in others
        if link.how == "unknown" and len(link.others) == 1:  # of another opcode
            assert opcode(others[link.others[0]][0]) != opcode(own[name][0])
    assert links


def opcode(line):
    return re.search(r" ([a-z][\w\-]*)\(", line)[1]


def op_name(metadata):
    return next(iter(re.findall(r'op_name="((?:[^"\\]|\\.)*)"', metadata)), "")


def test_what_is_linked_by_users_is_what_they_use_afterwards(compiled):
    for name, at, event, link in replacements(compiled):
        if link.how != "users":
            continue
        before, after = compiled.dumps[at - 1][1], compiled.dumps[at][1]
        old, new = ([name], link.others) if event.event == "vanished" else (link.others, [name])
        for one in new:
            users = [user for user in before if user in after and names_of(before[user][0]) & {*old}]
            assert any(one in names_of(after[user][0]) for user in users), (name, one)


def names_of(line):
    return {*re.findall(r"%([\w.\-]+)", line.partition(" = ")[2])}


def test_what_has_no_link_has_no_other_with_its_metadata(compiled):
    """Nothing that XLA says is left out: where nothing replaces it, nothing new has the same metadata."""
    for name in some(compiled.names):
        for event in compiled.histories.of(name).events:
            if event.event != "vanished" or event.replacements or event.instruction != name:
                continue
            at = place(compiled, event)
            before, after = compiled.dumps[at - 1][1], compiled.dumps[at][1]
            if metadata := before[name][2]:
                assert not [one for one in after.keys() - before.keys() if after[one][2] == metadata]


def replacements(compiled):
    for name in some(compiled.names):
        for event in compiled.histories.of(name).events:
            for link in event.replacements if event.instruction == name else ():
                yield name, place(compiled, event), event, link


def place(compiled, event):
    """The number of the dump after the pass of an event."""
    lines = event.before, event.after
    return next(
        at
        for at, ((_, before), (pass_, after)) in enumerate(pairwise(compiled.dumps), 1)
        if pass_ == event.pass_
        and lines == tuple(module.get(event.instruction, (None,))[0] for module in (before, after))
    )


def test_the_last_version_is_the_compiled_hlo_of_the_page(compiled):
    *_, last = versions(compiled.history)
    hlo = next(pane for pane in compiled.exploration.panes if pane.name == "hlo")
    texts = [line for line in hlo.text.split("\n") if line.startswith("  ") or line.endswith("{")]
    lines = [sorted_keys(line.strip()) for line in texts]
    assert [compiled.history.lines[number] for number in last] == lines


def test_lines_have_the_origins_of_the_page(compiled):
    """By its metadata alone an instruction comes from where the page's links say; a fusion has others."""
    *_, last = versions(compiled.history)
    made = compiled.exploration
    hlo = next(pane for pane in made.panes if pane.name == "hlo")
    sets = dict(zip((sorted_keys(line.strip()) for line in hlo.text.split("\n")), hlo.origins, strict=True))
    known = [number for number in last if made.history.sets[number]]
    assert known
    for number in known:
        assert {*made.sets[made.history.sets[number]]} <= {*made.sets[sets[compiled.history.lines[number]]]}
