"""`donation`: what became of each array argument, and what that saves, according to compiled modules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from jitinspect.errors import UnavailableError
from jitinspect.jaxapi.arrays.buffers import shared_leaves
from jitinspect.jaxapi.executables import aliasing
from jitinspect.jaxapi.executables.aliasing import Buffer
from jitinspect.jaxapi.jits.leaf_names import names_in, names_out
from jitinspect.model import Target
from jitinspect.model.readings import DonatedLeaf, DonationReport, Saved, WhyNot
from jitinspect.process.memory import give_back
from jitinspect.readings.donation_savings import Aliases, Savings, module, savings
from jitinspect.readings.result_order import moved_elements
from jitinspect.specs.describe import describe, spec_text
from jitinspect.stages.inspection import Subject


def read(target: Target, subjects: Iterator[Subject]) -> DonationReport:
    """Compiles each subject, and to measure savings, again with other arrays donated.

    Raises `UnavailableError` if the compiled module does not show its aliases.
    """
    report = DonationReport("donation", target, (), 0)
    for subject in subjects:
        report = _with(report, subject)
    return report


def _with(report: DonationReport, subject: Subject) -> DonationReport:
    """`report` with the arrays of one more call."""
    facts = _facts(subject)
    unknown, found = report.unknown, None
    try:
        with subject.muted():
            found = _savings(facts, subject)
    except UnavailableError as error:
        unknown = error.message
    leaves = (_leaf(facts, leaf, found or Savings(), subject.signature) for leaf in range(len(facts.names)))
    sums = (report.bytes_aliased, aliasing.aliased_bytes(subject.pipeline.compiled))
    return replace(
        report,
        target=replace(report.target, signature=report.target.signature or subject.signature),
        donation=(*report.donation, *leaves),
        bytes_aliased=None if None in sums else sum(bytes for bytes in sums if bytes),
        unknown=unknown,
        savings=(*report.savings, *([_saved(facts, found, subject.signature)] if found else [])),
    )


@dataclass(frozen=True, slots=True)
class _Facts:
    """What is known about one compiled call. `names`, `buffers` and `donated` are indexed by leaf, `outputs`
    and `results` by output; `inside` are the leaves that a nested jit donates, `kept` those that the module
    has parameters for; `shared` maps a leaf to another one in the same buffer.
    """

    names: tuple[str, ...]
    buffers: list[Buffer]
    donated: list[bool]
    inside: set[int]
    kept: set[int]
    shared: Mapping[int, int]
    outputs: tuple[str, ...]
    results: list[Buffer]
    aliases: Aliases


def _facts(subject: Subject) -> _Facts:
    traced, lowered = subject.pipeline.traced, subject.pipeline.lowered
    compiled, jit = subject.pipeline.compiled, subject.jitted.call
    kept = set(aliasing.kept(lowered))
    groups = shared_leaves(subject.call, traced.jaxpr.in_avals, subject.buffers)
    return _Facts(
        names_in(jit, subject.call, traced),
        aliasing.arguments(traced, compiled),
        aliasing.donated(traced),
        aliasing.donated_inside(traced),
        kept,
        {leaf: other for group in groups for leaf, other in _others(sorted(group & kept))},
        names_out(jit, traced),
        aliasing.results(traced, compiled),
        aliasing.aliases(lowered, compiled),
    )


def _others(group: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Each leaf of a group with another one: the first, or for the first the second."""
    if len(group) > 1:
        yield from ((leaf, group[0] if at else group[1]) for at, leaf in enumerate(group))


def _savings(facts: _Facts, subject: Subject) -> Savings | None:
    """None if JAX refuses the call, because a buffer that it would overwrite has another argument in it."""
    if facts.aliases.keys() & facts.shared.keys():
        return None
    now = module(subject.pipeline.lowered, subject.pipeline.compiled)
    give_back()
    could_donate = [leaf not in facts.shared for leaf in range(len(facts.names))]
    return savings(subject.pipeline.recompiled, now, facts.donated, could_donate, facts.outputs)


def _saved(facts: _Facts, found: Savings, signature: str) -> Saved:
    order = found.order
    return Saved(
        signature,
        found.saved,
        found.moved,
        found.could_save,
        moved_elements(order, facts.outputs) if order else (),
        found.order_saves,
        found.order_moved,
        tuple(facts.names[leaf] for leaf in found.order_donates),
    )


def _leaf(facts: _Facts, leaf: int, found: Savings, signature: str) -> DonatedLeaf:
    buffer, output = facts.buffers[leaf], facts.aliases.get(leaf)
    could, other = found.gained.get(leaf), facts.shared.get(leaf)
    why, nearest = _why(facts, leaf) if output is None else (None, None)
    return DonatedLeaf(
        path=facts.names[leaf],
        bytes=buffer.bytes,
        donated=facts.donated[leaf],
        aliased=None if output is None else facts.outputs[output],
        why=why,
        could_save=0 if could is None else buffer.bytes,
        type=_described(buffer),
        could_alias=None if could is None else facts.outputs[could],
        nearest=None if nearest is None else _output_text(facts, nearest),
        signature=signature,
        copied=leaf in found.copied,
        shared_with=None if other is None else facts.names[other],
    )


def _why(facts: _Facts, leaf: int) -> tuple[WhyNot | None, int | None]:
    """Why the buffer of a leaf is not reused, and the output that is most like it."""
    if not facts.donated[leaf]:
        return ("nested_jit" if leaf in facts.inside else None), None
    if leaf not in facts.kept:
        return "unused", None
    buffer, results = facts.buffers[leaf], facts.results
    free = [output for output in range(len(results)) if output not in facts.aliases.values()]
    shaped = [output for output in free if results[output].aval.shape == buffer.aval.shape]
    for output in shaped:
        if results[output].aval.dtype == buffer.aval.dtype:
            return _placement_difference(buffer, results[output]), output
    if any(results[output].bytes == buffer.bytes for output in free):
        return None, None  # XLA could have taken it
    return ("dtype", shaped[0]) if shaped else ("no_output", None)


def _placement_difference(buffer: Buffer, result: Buffer) -> WhyNot | None:
    """How an argument and an output of the same type differ."""
    if not buffer.same_sharding(result):
        return "sharding"
    known = buffer.layout is not None and result.layout is not None
    return "layout" if known and buffer.layout != result.layout else None


def _output_text(facts: _Facts, output: int) -> str:
    return f"{facts.outputs[output]} is {_described(facts.results[output])}"


def _described(buffer: Buffer) -> str:
    """`f32[8,4]@P('data',None)`; the placement is shown only if it is sharded."""
    spec = getattr(buffer.sharding, "spec", None)
    return describe(buffer.aval) + (f"@{spec_text(spec)}" if spec is not None else "")
