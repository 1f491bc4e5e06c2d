"""What XLA was told to compile with, from the proto that JAX hashes and that an executable is stored with."""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jax._src import cache_key as _cache_key

from jitinspect.ir.wire_format import fields, packed_numbers
from jitinspect.jaxapi.keys.option_names import BUILD, COMPILE, DEBUG, Option
from jitinspect.jaxapi.keys.option_names import options as _options

_BUILD, _OVERRIDES = 3, 7
_DEBUG, _DEVICES, _TO_RESULTS, _TO_ARGUMENTS = 3, 9, 12, 18
_FILLED_BY_XLA = {COMPILE: {1, 9}, BUILD: {1, 2, 4, 5}}
"""Layouts, the device that was chosen, and whether the module may be overwritten, which XLA sets itself while
it compiles (0.10.2, 0.12.0.1); numbers of devices, which the devices tell, too.
"""
_UNDER_CACHE_FOLDER = {"xla_gpu_per_fusion_autotune_cache_dir", "xla_gpu_kernel_cache_file"}
"""Options that contain the path of the cache folder, which thus becomes part of the key (0.10.2)."""
_BOOL, _FLOAT, _DOUBLE, _STRING = 8, 2, 1, 9
_ASSIGNED, _IDS = 3, 1


@dataclass(frozen=True, slots=True)
class CompileOptions:
    """`values` are options by name, those with XLA's default as well, and `overridden` those that the user's
    `compiler_options` set. `devices` are ids in order; `left_to_xla` says of the arguments, then of the
    results, whether XLA decides where each lies. `flags` are all single options that have a flag.
    """

    devices: tuple[int, ...]
    left_to_xla: tuple[tuple[bool, ...], tuple[bool, ...]]
    values: Mapping[str, str]
    flags: frozenset[str]
    overridden: frozenset[str]


def read_options(message: bytes) -> CompileOptions:
    """Options that are no part of JAX's key are left out. Raises `ValueError` for what is no such proto."""
    try:
        whole = list(fields(message))
        build = list(fields(dict(whole)[_BUILD]))
        debug = list(fields(dict(build).get(_DEBUG, b"")))
        overrides = dict(_overrides(whole))
        known = dict(build)
        ids = tuple(_device_ids(known.get(_DEVICES, b"")))
        left = _flags(known.get(_TO_ARGUMENTS, b"")), _flags(known.get(_TO_RESULTS, b""))
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise ValueError(f"no options of XLA's: {error!r}") from None
    values = {
        **_named(whole, COMPILE, {_BUILD, _OVERRIDES}),
        **_named(build, BUILD, {_DEBUG, _DEVICES, _TO_RESULTS, _TO_ARGUMENTS}),
        **_named(debug, DEBUG, set()),
        **overrides,
    }
    neutral = left_out()
    return CompileOptions(
        ids,
        left,
        {option_name(name): value for name, value in values.items() if name not in neutral},
        frozenset(_flag_names(debug)),
        frozenset(overrides) - neutral,
    )


def is_of_another_xla(options: CompileOptions, call: CompileOptions, set_by_call: Collection[str]) -> bool:
    """Whether they have an option that this XLA has not, or lack one that the `call` has by default: XLA
    writes all single options that have a default (0.8.3 to 0.12.0.1).
    """
    here = {option.name for option in _options(DEBUG).values()}
    return bool(here) and not (
        options.flags <= here
        and call.flags - options.flags <= {*set_by_call, *left_out(), *_UNDER_CACHE_FOLDER}
    )


def _flag_names(debug: list[tuple[int, Any]]) -> Iterator[str]:
    for number, _ in debug:
        option = _options(DEBUG).get(number, _unknown(number, DEBUG))
        if not option.is_repeated:
            yield option.name


def _unknown(number: int, message: str) -> Option:
    return Option(f"option {number} of {message}", 0)


def left_out() -> frozenset[str]:
    """The options that are no part of a key."""
    return frozenset(flag.strip("-") for flag in _cache_key.xla_flags_to_exclude_from_cache_key)


def option_name(name: str) -> str:
    return f"{name} (by the cache folder's path)" if name in _UNDER_CACHE_FOLDER else name


def _device_ids(assignment: bytes) -> Iterator[int]:
    for number, value in fields(assignment):
        if number == _ASSIGNED:
            for field, ids in fields(value):
                if field == _IDS:
                    yield from packed_numbers(ids) if isinstance(ids, bytes) else (ids,)


def _flags(packed: bytes | int) -> tuple[bool, ...]:
    return tuple(map(bool, packed)) if isinstance(packed, bytes) else (bool(packed),)


def _overrides(whole: list[tuple[int, Any]]) -> Iterator[tuple[str, str]]:
    """Of `compiler_options`: a name, and a string, a bool, an integer or a float."""
    for number, value in whole:
        if number == _OVERRIDES:
            entry = dict(fields(value))
            for kind, given in fields(entry[2]):
                option = Option("", {1: _STRING, 2: _BOOL, 4: _DOUBLE}.get(kind, 0))
                yield entry[1].decode(), _text(option, given)


def _named(found: list[tuple[int, Any]], message: str, left_out: set[int]) -> dict[str, str]:
    names, without = _options(message), left_out | _FILLED_BY_XLA.get(message, set())
    texts: dict[str, list[str]] = {}
    for number, value in found:
        if number not in without:
            option = names.get(number, _unknown(number, message))
            texts.setdefault(option.name, []).append(_text(option, value))
    return {name: ", ".join(values) for name, values in texts.items()}


def _text(option: Option, value: int | bytes) -> str:
    if isinstance(value, int):
        signed = value - (1 << 64) if value >> 63 else value
        return str(bool(value)) if option.kind == _BOOL else str(signed)
    if option.kind in (_FLOAT, _DOUBLE) and len(value) in (4, 8):
        return f"{struct.unpack('<f' if len(value) == 4 else '<d', value)[0]:.7g}"
    if option.kind == _STRING:
        return value.decode(errors="replace")
    return value.hex()
