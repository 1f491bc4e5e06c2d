"""What the user typed → a request: every spec is parsed, and complained about, before jax is imported."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from jitinspect import specs
from jitinspect.cli.options import TargetOptions
from jitinspect.errors import UsageError
from jitinspect.specs import Argument
from jitinspect.target.loading import parse_ref
from jitinspect.target.transforms import check_transforms


def parsed(options: TargetOptions, argv: Sequence[str]) -> dict[str, Any]:
    """The fields of a `Request` that the target's options give.

    Raises `UsageError` for a ref, spec, dimension, mesh or transform that does not parse.
    """
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
        "dims": _dims(options.dim),
    }


def _dims(texts: Sequence[str]) -> dict[str, tuple[int, ...]]:
    dims: dict[str, tuple[int, ...]] = {}
    for name, sizes in map(specs.parse_dims, texts):
        if name in dims:
            raise UsageError(f"--dim {name} is given twice", hint=f"--dim {name}=1,2 for a sweep")
        dims[name] = sizes
    return dims


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
