"""Functions written as files, and readings of both, to be compared."""

import dataclasses
import importlib
import json
import sys
from pathlib import Path

import jax
from jax import export

from jitinspect.files.opening import opened
from jitinspect.render.json import to_json
from jitinspect.stages import inspection
from samples import sharded


def write(folder, kind, function, call):
    file = folder / f"step.{kind}"
    if kind == "jaxexport":
        file.write_bytes(export.export(function)(*call).serialize())
        return str(file)
    lowered = function.lower(*call)
    if kind == "hlo":
        file.write_text(lowered.as_text(dialect="hlo", debug_info=True))
    else:
        file.write_text(lowered.compiler_ir("stablehlo").operation.get_asm(enable_debug_info=True))
    return str(file)


def read(command, file, **asked):
    reader = importlib.import_module(f"jitinspect.readings.{command}").read
    return inspection.read(inspection.Request(command, file, (), **asked), reader, opener=opened)


def read_call(command, function, call):
    reader = importlib.import_module(f"jitinspect.readings.{command}").read
    return inspection.read_call(function, (call, {}), inspection.Request(command, "", ()), reader)


def told(report, *without):
    """Its JSON, without the events, the names of file and function, and the fields `without`."""
    document = json.loads(to_json(dataclasses.replace(report, events=())))
    document["target"] |= {"ref": "", "module": ""}
    return _without(document, {*without, "signature"})


def _without(value, names):
    if isinstance(value, dict):
        return {name: _without(one, names) for name, one in value.items() if name not in names}
    return [_without(one, names) for one in value] if isinstance(value, list) else value


def over_a_mesh(x, w):
    mesh = jax.sharding.Mesh(jax.devices()[:8], ("data",))
    split, whole = jax.sharding.PartitionSpec("data"), jax.sharding.PartitionSpec()

    def shard(x, w):
        return jax.lax.psum(x @ w, "data")

    y = jax.shard_map(shard, mesh=mesh, in_specs=(split, whole), out_specs=whole)(x, w)
    return jax.lax.with_sharding_constraint(y, jax.sharding.NamedSharding(mesh, split))


def _both(kind, command, folder):
    array = jax.ShapeDtypeStruct
    small = array((64, 8), "float32"), array((8, 8), "float32")
    programs = [(jax.jit(over_a_mesh), small), (sharded.train_step, sharded.make_args())]
    of_files, of_functions = [], []
    for function, call in programs:
        file = write(folder, kind, function, call)
        if command == "hlo":
            request = inspection.Request("hlo", file, ("hlo",))
            of_files.append(inspection.inspect(request, opener=opened).artifacts[0].text)
            request = inspection.Request("hlo", "", ("hlo",))
            of_functions.append(inspection.inspect_call(function, (call, {}), request).artifacts[0].text)
        else:
            of_files.append(told(read(command, file)))
            of_functions.append(told(read_call(command, function, call)))
    return of_files, of_functions


def main():
    """To stdout, for each kind of file and reading: of files, of functions."""
    found = {
        f"{kind} {command}": _both(kind, command, Path(sys.argv[1]))
        for kind in ("mlir", "jaxexport")
        for command in ("collectives", "sharding", "cost", "hlo")
    }
    json.dump(found, sys.stdout)
