"""What an entry was compiled from, compared with what a call would be compiled from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from jitinspect.files.cache.contents import Contents, Cpu
from jitinspect.ir.hlo_operations import changes, missing
from jitinspect.ir.hlo_proto import Module, Parameter
from jitinspect.jaxapi.keys.compile_options import CompileOptions, is_of_another_xla
from jitinspect.model.cache_lookups import Component, EntryDifference

_COMPUTATION: Component = "computation"
_OPTIONS: Component = "compile_options"
_PLACED = ("arguments", "results")


def differences(entry: Contents, call: Contents) -> Iterator[EntryDifference]:
    """Those that are certain; else those that are not."""
    found = [*_compared(entry, call)]
    yield from found
    if found or not (entry.module and call.module):
        return
    if names := missing(entry.module, call.module):
        yield EntryDifference(_COMPUTATION, "operations", None, ", ".join(names), certain=False)


def _compared(entry: Contents, call: Contents) -> Iterator[EntryDifference]:
    if entry.compression != call.compression and call.compression:
        yield EntryDifference("compression", "algorithm", entry.compression, call.compression)
    if is_of_another := _is_of_another_xla(entry, call):
        yield EntryDifference("jax_lib version", "jaxlib", "one whose XLA has other options", "the one here")
    if entry.cpu and call.cpu:
        yield from _cpus(entry.cpu, call.cpu, is_of_another)
    if entry.options and call.options:
        yield from _devices(entry.options, call.options)
        yield from _options(entry.options, call.options, is_of_another)
    if entry.module and call.module:
        yield from _modules(entry.module, call.module, entry.is_partitioned or call.is_partitioned)


def _is_of_another_xla(entry: Contents, call: Contents) -> bool:
    if entry.options is None or call.options is None:
        return False
    return is_of_another_xla(entry.options, call.options, {*call.flags, *call.options.overridden})


def _cpus(entry: Cpu, call: Cpu, is_of_another: bool) -> Iterator[EntryDifference]:
    """Names; where those are the same, features that only one has. Each jaxlib has its list of them."""
    if entry.name != call.name:
        yield EntryDifference("accelerator_config", "CPU", entry.name, call.name)
    elif entry.features != call.features and not is_of_another:
        had, has = (set(one.features.split(",")) for one in (entry, call))
        yield EntryDifference("accelerator_config", "features of the CPU", _only(had - has), _only(has - had))


def _only(features: set[str]) -> str | None:
    return ",".join(sorted(features)) or None


def _devices(entry: CompileOptions, call: CompileOptions) -> Iterator[EntryDifference]:
    if entry.devices != call.devices:
        before, now = (", ".join(map(str, one.devices)) or "none" for one in (entry, call))
        yield EntryDifference(_OPTIONS, "devices", before, now)
        return
    for what, left, now_left in zip(_PLACED, entry.left_to_xla, call.left_to_xla, strict=True):
        before, now = _placed(left), _placed(now_left)
        if before != now:
            yield EntryDifference(_OPTIONS, f"placement of {what}", before, now)


def _options(entry: CompileOptions, call: CompileOptions, is_of_another: bool) -> Iterator[EntryDifference]:
    """XLA's defaults differ from one jaxlib to another: then only what the user has set is compared."""
    set_by_user = entry.overridden | call.overridden
    for name in dict.fromkeys([*call.values, *entry.values]):
        before, now = entry.values.get(name), call.values.get(name)
        if before != now and (name in set_by_user or not is_of_another):
            yield EntryDifference(_OPTIONS, name, before, now)


def _placed(left: tuple[bool, ...]) -> str:
    """XLA decides where an array lies that is committed to no device, and a result without a sharding."""
    if len({*left}) > 1:
        return ", ".join("left to XLA" if one else "given" for one in left)
    return "left to XLA" if any(left) else "given"


def _modules(entry: Module, call: Module, is_partitioned: bool) -> Iterator[EntryDifference]:
    """What is computed is compared only if it is computed from the same arguments: it follows from them."""
    if entry.name != call.name:
        yield _of_computation("module", entry.name, call.name)
    arguments = [*_arguments(entry, call)]
    yield from arguments
    if not arguments and not is_partitioned and entry.results != call.results:
        yield _of_computation("results", _listed(entry.results), _listed(call.results))
    before, now = (
        _listed(one.parameters[index].name for index in sorted(one.donated)) for one in (entry, call)
    )
    if before != now:
        yield _of_computation("donated", before, now)
    if not arguments:
        for change in changes(entry, call):
            yield _of_computation(change.what, change.before, change.now)


def _arguments(entry: Module, call: Module) -> Iterator[EntryDifference]:
    """By position, as a name is no part of a key; by name if there are more or fewer."""
    if len(entry.parameters) == len(call.parameters):
        for old, new in zip(entry.parameters, call.parameters, strict=True):
            yield from _argument(new.name, old, new)
        return
    before, now = ({one.name: one for one in module.parameters} for module in (entry, call))
    for name in dict.fromkeys([*now, *before]):
        yield from _argument(name, before.get(name), now.get(name))


def _argument(name: str, old: Parameter | None, new: Parameter | None) -> Iterator[EntryDifference]:
    if old is None or new is None or old.type != new.type:
        yield _of_computation(f"argument {name}", old.type if old else None, new.type if new else None)
    elif old.sharding != new.sharding:
        yield _of_computation(f"sharding of {name}", old.sharding or "none", new.sharding or "none")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"


def _of_computation(what: str, before: str | None, now: str | None) -> EntryDifference:
    return EntryDifference(_COMPUTATION, what, before, now)
