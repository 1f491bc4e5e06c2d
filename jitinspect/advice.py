"""Differences → reasons: the sentence for a person, and what to do about this very case."""

from __future__ import annotations

from collections.abc import Iterable

from jitinspect.explain import Difference
from jitinspect.explain.values import has_equality
from jitinspect.jaxapi.jitinfo import JitFacts
from jitinspect.model import Reason


def first_call(facts: JitFacts) -> Reason:
    return Reason("first_call", None, None, None, None, f"first call of {facts.name}")


def reasons(
    found: Iterable[Difference], facts: JitFacts, made_at: str | None, cleared: bool
) -> tuple[Reason, ...]:
    """A reason for each difference; where there is none, that the caches were cleared, if so, or unknown."""
    told = tuple(_reason(one, facts, made_at) for one in found)
    if told:
        return told
    if cleared:
        hint = "leave out jax.clear_caches() and clear_cache(), or call them once"
        text = "the same signature as before: the caches were cleared in between"
        return (Reason("cache_cleared", facts.name, None, None, hint, text),)
    text = "the same signature as before, as far as jitinspect sees; the entry may have been evicted"
    return (Reason("unknown", None, None, None, None, text),)


def after_failure(facts: JitFacts) -> Reason:
    """For a call whose like was made before, and raised."""
    text = f"no call of {facts.name} with this signature has succeeded: JAX keeps nothing of one that raises"
    return Reason("first_call", None, None, None, None, text)


def another_jit(facts: JitFacts) -> Reason:
    """For a call whose like was made through another jit of the very same function."""
    hint = "make the jit once, and call that"
    text = f"the same signature as before, through another jax.jit of {facts.name}"
    return Reason("new_function", facts.name, None, None, hint, text)


def _reason(one: Difference, facts: JitFacts, made_at: str | None) -> Reason:
    return Reason(one.kind, one.where, one.before, one.now, None, f"{one.where}: {one.before} → {one.now}")


__all__ = ["first_call", "has_equality", "reasons"]
