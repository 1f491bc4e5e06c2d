"""Makes the calls of a script, on zeros."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import jax

from jitinspect.calls.call_log import CallLog
from jitinspect.errors import JitinspectError
from jitinspect.jaxapi.arrays.zeros import check_memory, zeros
from jitinspect.jaxapi.devices import option
from jitinspect.jaxapi.keys.context import setting
from jitinspect.specs import ScriptCall
from jitinspect.targets.arguments.build import Call as Arguments
from jitinspect.targets.arguments.build import build_call
from jitinspect.targets.jitting import Jitted, jitted
from jitinspect.targets.loading import load


class Targets:
    """The functions that a script calls, each loaded at its first call."""

    def __init__(self) -> None:
        self._loaded: dict[str, Jitted] = {}

    def __getitem__(self, ref: str) -> Jitted:
        """Raises what `load` and `jitted` do."""
        if ref not in self._loaded:
            self._loaded[ref] = jitted(load(ref))
        return self._loaded[ref]


@contextmanager
def settings(config: tuple[tuple[str, Any], ...]) -> Iterator[None]:
    """A script's `with config(…)`. Raises `UsageError` for an unknown setting."""
    with ExitStack() as stack:
        for name, value in config:
            stack.enter_context(setting(name, value))
        yield


@contextmanager
def located(at: str) -> Iterator[None]:
    """Around the work for one line of a script: errors name that line."""
    try:
        yield
    except JitinspectError as error:
        if not error.message.startswith(at):
            error.message = f"{at}: {error.message}"
        raise


def make_calls(call: ScriptCall, subject: Jitted, call_log: CallLog, mesh: jax.sharding.Mesh | None) -> bool:
    """Make the call as often as requested; returns whether all succeeded. What it raises is in its row."""
    succeeded = True
    with settings(call.config):
        for _ in range(call.repeat):
            # making a typed key, or a weakly typed array, compiles something
            with call_log.muted(), making_arguments():
                args, kwargs = _values(build_call(call.call.arguments, mesh))
            succeeded = _call_succeeds(subject, args, kwargs, call_log, call.at) and succeeded
    return succeeded


@contextmanager
def making_arguments() -> Iterator[None]:
    """Around the making of a call's arguments, which settings for the call can forbid."""
    with settings(tuple((name, value) for name, value in _PERMISSIVE if option(name) not in (None, value))):
        yield


_PERMISSIVE = (
    ("jax_no_tracing", False),
    ("jax_no_execution", False),
    ("jax_transfer_guard_host_to_device", "allow"),
)


def _call_succeeds(subject: Jitted, args: Any, kwargs: Mapping[str, Any], call_log: CallLog, at: str) -> bool:
    try:
        with call_log.called_at(at):
            jax.block_until_ready(subject.call(*args, **kwargs))
    except (Exception, SystemExit):
        return False
    return True


def _values(call: Arguments) -> Arguments:
    """Raises `UsageError` for arrays that do not fit into memory: trying may get the process killed."""
    structs = [leaf for leaf in jax.tree.leaves(call) if isinstance(leaf, jax.ShapeDtypeStruct)]
    check_memory(structs, "--plan gives the verdicts without making any arrays")
    args, kwargs = jax.tree.map(
        lambda leaf: zeros(leaf) if isinstance(leaf, jax.ShapeDtypeStruct) else leaf, call
    )
    return args, kwargs
