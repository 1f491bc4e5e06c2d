"""The processes of one job, side by side: what they compiled differently, which is how such jobs hang.

All processes of a job must run the same computations in the same order: one that compiles something that the
others do not waits for them forever, in its first collective.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from jitinspect.model.runs import Compilation, Uneven

Function = tuple[str, str | None]
MOST_DETAILS = 4


def uneven(processes: Mapping[str, Sequence[Compilation]]) -> tuple[Uneven, ...]:
    """The compilations of each process, in their order → the functions that not all compiled alike."""
    own = {
        name: [compilation for compilation in compilations if compilation.kind != "internal"]
        for name, compilations in processes.items()
    }
    found = sorted(_by_function(own), key=lambda difference: not difference.shared)
    return tuple(found or _by_order(own))


def _by_function(processes: Mapping[str, Sequence[Compilation]]) -> Iterator[Uneven]:
    functions = dict.fromkeys(
        (compilation.function, compilation.definition)
        for compilations in processes.values()
        for compilation in compilations
    )
    for function in functions:
        own = {
            name: [compilation for compilation in compilations if _belongs_to(compilation, function)]
            for name, compilations in processes.items()
        }
        counts = {name: sum(map(_count, compilations)) for name, compilations in own.items()}
        what = _difference(own, counts)
        if what is not None:
            shared = any(compilation.shared for compilations in own.values() for compilation in compilations)
            yield Uneven(*function, what, counts, tuple(_details(own, what)), shared)


def _count(compilation: Compilation) -> int:
    """An executable loaded from disk counts as compiled."""
    return compilation.compilations or int(compilation.status == "DISK")


def _belongs_to(compilation: Compilation, function: Function) -> bool:
    return (compilation.function, compilation.definition) == function


def _difference(processes: Mapping[str, Sequence[Compilation]], counts: Mapping[str, int]) -> str | None:
    if not all(processes.values()):
        return "not on all"
    if len({*counts.values()}) > 1:
        return "counts differ"
    signatures = [
        Counter(compilation.signature for compilation in compilations if _count(compilation))
        for compilations in processes.values()
    ]
    if any(other != signatures[0] for other in signatures):
        return "signatures differ"
    modules = [
        Counter(compilation.module for compilation in compilations if compilation.module)
        for compilations in processes.values()
    ]
    return "modules differ" if any(other != modules[0] for other in modules) else None


def _details(processes: Mapping[str, Sequence[Compilation]], what: str) -> Iterator[str]:
    """What only some of the processes have."""
    descriptions = {
        name: Counter(_description(compilation, what) for compilation in compilations)
        for name, compilations in processes.items()
    }
    fewest = {
        text: min(counts[text] for counts in descriptions.values())
        for counts in descriptions.values()
        for text in counts
    }
    for name, counts in descriptions.items():
        extra = [(text, number - fewest[text]) for text, number in counts.items() if number > fewest[text]]
        for text, number in extra[:MOST_DETAILS]:
            more = f"{number} more than elsewhere: " if fewest[text] else ""
            yield f"only on process {name}: {more}{text}"
        if len(extra) > MOST_DETAILS:
            yield f"only on process {name}: {len(extra) - MOST_DETAILS} more"


def _description(compilation: Compilation, what: str) -> str:
    at = f" at {compilation.at}" if compilation.at else ""
    module = f", module {compilation.module}" if compilation.module and what == "modules differ" else ""
    return f"{compilation.signature or compilation.function}{at}{module}"


def _by_order(processes: Mapping[str, Sequence[Compilation]]) -> Iterator[Uneven]:
    """All compiled the same, but not in the same order: the first place where they differ."""
    listed = {
        name: [compilation for compilation in compilations if _count(compilation)]
        for name, compilations in processes.items()
    }
    for rank in zip(*listed.values(), strict=False):
        if (
            len({(compilation.function, compilation.signature, compilation.module) for compilation in rank})
            > 1
        ):
            counts = {name: compilation.seq for name, compilation in zip(listed, rank, strict=True)}
            details = [
                f"process {name}: {_description(compilation, '')}"
                for name, compilation in zip(listed, rank, strict=True)
            ]
            shared = any(compilation.shared for compilation in rank)
            yield Uneven(
                rank[0].function, rank[0].definition, "order differs", counts, tuple(details), shared
            )
            return
