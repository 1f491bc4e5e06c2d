"""The user's words → a request. Every spec is parsed, and rejected, before jax is imported."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from jitinspect import specs
from jitinspect.cli.options import TargetOptions, ViewOptions
from jitinspect.errors import LoadError, UsageError
from jitinspect.files.kinds import is_file_target, looks_like_file
from jitinspect.model import View
from jitinspect.specs import Argument
from jitinspect.targets.loading import parse_ref
from jitinspect.targets.transforms import check_transforms


def parsed(options: TargetOptions, argv: Sequence[str], may_search: bool = False) -> dict[str, Any]:
    """The fields of a `Request`, from the options of the target. With `may_search` a dimension can be a
    range, of which the request has the first size; `searched` gives the range.

    Raises `UsageError` for a ref, spec, dimension, mesh or transform that does not parse, and for arguments
    of a file, which has its own.
    """
    if is_file_target(options.target):
        return {"ref": options.target, **_of_file(options, may_search)}
    if looks_like_file(options.target):
        raise LoadError(f"no such file: {options.target}", hint=_near(options.target))
    parse_ref(options.target)
    if options.args_from:
        parse_ref(options.args_from)
    check_transforms(options.transform)
    if options.values and not options.args_from:
        raise UsageError("--values needs --args-from", hint="--args-from mod:make_args --values")
    return {
        "ref": options.target,
        "arguments": tuple(_arguments(options, argv)),
        "args_from": options.args_from,
        "values": options.values,
        "static": tuple(options.static),
        "donate": tuple(options.donate),
        "transforms": tuple(options.transform),
        "mesh": specs.parse_mesh(options.mesh) if options.mesh else (),
        "dims": _dims(options.dim, may_search),
    }


def file_of(fields: Mapping[str, Any]) -> str | None:
    """The file that a request is about, if it is about one."""
    ref: str = fields["ref"]
    return ref if is_file_target(ref) else None


def _of_file(options: TargetOptions, may_search: bool) -> dict[str, Any]:
    for option in ("shape", "arg", "args_from", "values", "static", "donate", "transform"):
        if getattr(options, option):
            name = option.replace("_", "-")
            raise UsageError(
                f"--{name}: {options.target} is a file, whose arguments are known", hint="leave it out"
            )
    return {
        "dims": _dims(options.dim, may_search),
        "mesh": specs.parse_mesh(options.mesh) if options.mesh else (),
    }


def _near(missing: str) -> str | None:
    """A file beside it with a name that is like it."""
    path = Path(missing)
    beside = [str(path.parent / found) for found in os.listdir(path.parent)] if path.parent.is_dir() else []
    near = get_close_matches(str(path), [str(Path(one)) for one in beside], n=1)
    return f"did you mean {near[0]}?" if near else None


def viewed(options: ViewOptions, others: Mapping[str, Any]) -> View:
    """The view that the options ask for. Raises `UsageError` for options that do not go together."""
    view = View(
        op=options.op or None,
        line=options.line or None,
        fusion=options.fusion or None,
        neighbours=options.neighbours,
        fold=options.fold,
        source=options.source,
        outline=options.outline,
        stats=options.stats,
    )
    if view.neighbours and not view.selects:
        raise UsageError("-C needs --op, --line or --fusion", hint="--op dot -C 1")
    if view.outline and view.stats:
        raise UsageError("--outline and --stats cannot be combined", hint="leave one out")
    if (view.outline or view.stats) and (view.selects or view.fold or view.source):
        raise UsageError("--outline and --stats cover the whole text", hint="leave the other options out")
    if not view.is_whole and others.get("raw"):
        raise UsageError("--raw prints the whole text unchanged", hint="leave --raw out")
    return view


def stages_of(text: str) -> tuple[str, ...]:
    """`jaxpr,hlo`. Raises `UsageError` for a stage that cannot be compared."""
    from jitinspect.model.differences import STAGES

    names = words_of(text)
    for name in names:
        if name not in STAGES:
            raise UsageError(f"--stage {name}: no such stage", hint=f"one of {', '.join(STAGES)}")
    return names


def words_of(text: str) -> tuple[str, ...]:
    """`tpu, cuda,tpu` → each word once, in order."""
    return tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))


def searched(texts: Sequence[str]) -> dict[str, range]:
    """The dimension whose largest size is to be found, and its range; empty if none is a range.

    Raises `UsageError` if several are.
    """
    found = {name: sizes for name, sizes in map(specs.parse_dims, texts) if isinstance(sizes, range)}
    if len(found) > 1:
        first, second, *_ = found
        raise UsageError(
            f"--dim: {first} and {second} are ranges; one is searched at a time",
            hint=f"--dim {second}={found[second].start}",
        )
    return found


def _dims(texts: Sequence[str], may_search: bool) -> dict[str, tuple[int, ...]]:
    dims: dict[str, tuple[int, ...]] = {}
    for name, sizes in map(specs.parse_dims, texts):
        if name in dims:
            raise UsageError(f"--dim {name} is given twice", hint=f"--dim {name}=1,2 for a sweep")
        if isinstance(sizes, range):
            if not may_search:
                raise no_range(name, sizes)
            sizes = (sizes.start,)
        dims[name] = sizes
    return dims


def no_range(name: str, sizes: range) -> UsageError:
    """For commands that take single sizes."""
    text = f"--dim {name}={sizes.start}..{sizes[-1]}"
    return UsageError(f"{text}: only fit searches a range", hint=f"--dim {name}=1,8,64 for a sweep")


def _arguments(options: TargetOptions, argv: Sequence[str]) -> Iterator[Argument]:
    """`--shape` and `--arg` in the order given, which Typer does not keep between two options."""
    shapes, args = iter(options.shape), iter(options.arg)
    for word in argv:
        if _is_option(word, "--shape", "-s"):
            yield from _shape(next(shapes, None), options.dtype)
        elif _is_option(word, "--arg", "-a"):
            yield from _arg(next(args, None))
    for text in shapes:
        yield from _shape(text, options.dtype)
    for text in args:
        yield from _arg(text)


def _is_option(word: str, long: str, short: str) -> bool:
    return (
        word == long or word.startswith(f"{long}=") or (word.startswith(short) and not word.startswith("--"))
    )


def _shape(text: str | None, dtype: str) -> Iterator[Argument]:
    if text is not None:
        yield Argument(None, specs.parse_shape(text, dtype))


def _arg(text: str | None) -> Iterator[Argument]:
    if text is not None:
        yield specs.parse_argument(text)
