"""`donation`: what became of each array argument, according to the aliases of the compiled module."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from jitinspect.errors import UnavailableError
from jitinspect.jaxapi.executables import aliasing
from jitinspect.jaxapi.executables.aliasing import Buffer
from jitinspect.jaxapi.jits.leaf_names import names_in, names_out
from jitinspect.model import Target
from jitinspect.model.readings import DonatedLeaf, DonationReport, WhyNot
from jitinspect.specs.describe import describe
from jitinspect.stages.inspection import Subject

Aliases = Mapping[int, int]
"""Index of an argument leaf → that of the output that gets its buffer."""


def read(target: Target, subjects: Iterator[Subject]) -> DonationReport:
    """Compiles each subject, and if some of its arrays are not donated, once more with all of them donated.

    Raises `UnavailableError` if the compiled module does not show its aliases.
    """
    report = DonationReport("donation", target, (), 0)
    for subject in subjects:
        report = _with(report, subject)
    return report


def _with(report: DonationReport, subject: Subject) -> DonationReport:
    """`report` with the arrays of one more call."""
    pipeline = subject.pipeline
    facts = _facts(subject)
    unknown, all_donated = report.unknown, facts.aliases
    if not all(facts.donated):
        try:
            with subject.muted():
                all_donated = aliasing.all_donated(pipeline.traced)
        except UnavailableError as error:
            unknown = error.message
    leaves = tuple(_leaf(facts, leaf, all_donated, subject.signature) for leaf in range(len(facts.names)))
    sums = (report.bytes_aliased, aliasing.aliased_bytes(pipeline.compiled))
    return replace(
        report,
        target=replace(report.target, signature=report.target.signature or subject.signature),
        donation=(*report.donation, *leaves),
        bytes_aliased=None if None in sums else sum(bytes for bytes in sums if bytes),
        unknown=unknown,
    )


@dataclass(frozen=True, slots=True)
class _Facts:
    """What is known about one compiled call. `names`, `buffers` and `donated` are indexed by leaf, `outputs`
    and `results` by output; `inside` are the leaves that a nested jit donates, `kept` those that the module
    has parameters for.
    """

    names: tuple[str, ...]
    buffers: list[Buffer]
    donated: list[bool]
    inside: set[int]
    kept: set[int]
    outputs: tuple[str, ...]
    results: list[Buffer]
    aliases: Aliases


def _facts(subject: Subject) -> _Facts:
    traced, lowered = subject.pipeline.traced, subject.pipeline.lowered
    compiled, jit = subject.pipeline.compiled, subject.jitted.call
    return _Facts(
        names_in(jit, subject.call, traced),
        aliasing.arguments(traced, compiled),
        aliasing.donated(traced),
        aliasing.donated_inside(traced),
        set(aliasing.kept(lowered)),
        names_out(jit, traced),
        aliasing.results(traced, compiled),
        aliasing.aliases(lowered, compiled),
    )


def _leaf(facts: _Facts, leaf: int, all_donated: Aliases, signature: str) -> DonatedLeaf:
    buffer, donated = facts.buffers[leaf], facts.donated[leaf]
    output = facts.aliases.get(leaf)
    could = None if donated else gained_output(leaf, facts.aliases, all_donated)
    why, nearest = _why(facts, leaf) if output is None else (None, None)
    return DonatedLeaf(
        path=facts.names[leaf],
        bytes=buffer.bytes,
        donated=donated,
        aliased=None if output is None else facts.outputs[output],
        why=why,
        could_save=0 if could is None else buffer.bytes,
        type=_described(buffer),
        could_alias=None if could is None else facts.outputs[could],
        nearest=None if nearest is None else _output_text(facts, nearest),
        signature=signature,
    )


def gained_output(leaf: int, now: Aliases, all_donated: Aliases) -> int | None:
    """The output, if any, that gets a donated buffer only if `leaf` is donated, as in `all_donated`.

    If `leaf` takes the output of another argument, that argument may get another output, or none.
    """
    owner = {output: other for other, output in now.items() if other != leaf}
    while (output := all_donated.get(leaf)) in owner:
        leaf = owner.pop(output)
    return output


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
    if shaped and not _has_same_type(buffer, results):
        return "dtype", shaped[0]
    return "no_output", None


def _has_same_type(buffer: Buffer, results: list[Buffer]) -> bool:
    own = buffer.aval.shape, buffer.aval.dtype
    return any((result.aval.shape, result.aval.dtype) == own for result in results)


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
    return describe(buffer.aval) + (f"@P({','.join(map(repr, spec))})" if spec is not None else "")
