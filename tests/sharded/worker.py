"""`python -m tests.sharded.worker`: compiles each case; one JSON document on stdout, by their names.

Without a word after it, for eight CPU devices: the `text` by JAX's public API, what `collectives` reads, and
the bytes that each line `sent` as `cost` and `source` read it, of one compilation. For slices of TPUs either
is in a process of its own: one with libtpu in it for the `texts`, and one without for the `readings`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator

import jax
from jax.experimental import topologies

import jitinspect
from jitinspect.devices.names import parse_device
from jitinspect.model import Target
from jitinspect.model.communication import CollectivesReport
from jitinspect.model.readings import CostOfLine, SourceLine
from jitinspect.readings import collectives, cost, source
from jitinspect.render.json import to_json
from jitinspect.stages import inspection
from jitinspect.stages.inspection import Subject
from tests.sharded.cases import CASES
from tests.sharded.expectations import Case
from tests.sharded.tpu_slices import SLICES


def here(case: Case) -> dict[str, object]:
    jax.config.update("jax_use_shardy_partitioner", case.is_shardy)
    sent: dict[str, dict[str, int]] = {}

    def read(target: Target, subjects: Iterator[Subject]) -> CollectivesReport:
        [subject] = subjects
        of_cost = cost.read(target, iter([subject])).cost
        of_source = source.read(target, iter([subject])).source
        sent["cost"] = by_line(of_cost.by_line) | {"all": of_cost.wire_bytes}
        sent["source"] = by_line(of_source.lines) | {"": of_source.without_line.wire_bytes}
        return collectives.read(target, iter([subject]))

    function, args = case.on(case.over(jax.devices()))
    request = inspection.Request(command="collectives", ref="", stages=())
    report = inspection.read_call(function, (args, {}), request, read)
    return {"text": text(case, jax.devices()), "reading": json.loads(to_json(report)), "sent": sent}


def by_line(rows: Iterable[CostOfLine | SourceLine]) -> dict[str, int]:
    """What they send; "" is what no line made."""
    return {f"{row.file}:{row.line}" if row.file else "": row.wire_bytes for row in rows if row.wire_bytes}


def reading(case: Case) -> object:
    function, args = case.on(case.over(jax.devices()))
    return json.loads(jitinspect.read("collectives", function, *args, target=case.target).to_json())


def text(case: Case, devices: list[jax.Device] | None = None) -> str:
    function, args = case.on(case.over(devices or slice_of(case)))
    jitted = function if case.jitted else jax.jit(function)
    return jitted.lower(*args).compile().as_text()


def slice_of(case: Case) -> list[jax.Device]:
    target = parse_device(case.target)
    found = topologies.get_topology_desc(target.topology, platform=target.platform, **target.topology_options)
    return found.devices


TOLD = {"": (here, CASES), "texts": (text, SLICES), "readings": (reading, SLICES)}

if __name__ == "__main__":
    tell, cases = TOLD["".join(sys.argv[1:])]
    json.dump({case.name: tell(case) for case in cases}, sys.stdout)
