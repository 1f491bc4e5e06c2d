"""`--transform`: the transformed function, with static arguments kept away from the transform."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Sequence
from typing import Any

from jitinspect.errors import UsageError

TRANSFORMS = ("grad", "value_and_grad", "vmap", "jacfwd", "jacrev", "hessian", "checkpoint")


def check_transforms(names: Sequence[str]) -> None:
    """Raises `UsageError` for an unknown transform; JAX is not imported."""
    for name in names:
        if name not in TRANSFORMS:
            raise UsageError(f"--transform {name}: no such transform", hint=f"one of {', '.join(TRANSFORMS)}")


def transformed(
    function: Callable[..., Any],
    names: Sequence[str],
    *,
    static_argnums: Collection[int] = (),
    static_argnames: Collection[str] = (),
) -> Callable[..., Any]:
    """`function` under `jax.<name>` for each of `names`, the leftmost innermost.

    Name and signature stay those of `function`, as they do under JAX's own transforms. Static
    arguments bypass the transform: vmap does not map them, checkpoint does not trace them, and
    grad differentiates the first argument that is not static.
    """
    import jax

    check_transforms(names)
    nums, held = frozenset(static_argnums), frozenset(static_argnames)
    for name in names:
        transform = getattr(jax, name)
        function = _past_static(transform, function, nums, held) if nums or held else transform(function)
    return function


def _past_static(
    transform: Callable[..., Any], function: Callable[..., Any], nums: frozenset[int], names: frozenset[str]
) -> Callable[..., Any]:
    @functools.wraps(function)
    def transformed(*args: Any, **kwargs: Any) -> Any:
        held = {name: kwargs.pop(name) for name in names & kwargs.keys()}

        def of_arrays(*arrays: Any, **array_kwargs: Any) -> Any:
            rest = iter(arrays)
            merged = (arg if i in nums else next(rest) for i, arg in enumerate(args))
            return function(*merged, **held, **array_kwargs)

        of_arrays.__name__ = getattr(function, "__name__", of_arrays.__name__)
        return transform(of_arrays)(*(arg for i, arg in enumerate(args) if i not in nums), **kwargs)

    return transformed
