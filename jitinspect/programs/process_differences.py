"""The processes of one job, side by side: what they did not compile alike, which is how such a job hangs.

Each process of a job must run the same computations in the same order: one that compiles something that the
others do not waits for them in its first collective, for ever.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from jitinspect.model.runs import Compilation, Uneven

Function = tuple[str, str | None]
MOST_TOLD = 4


def uneven(processes: Mapping[str, Sequence[Compilation]]) -> tuple[Uneven, ...]:
    """By process its compilations, in their order → the functions that were not compiled alike by all."""
    own = {name: [one for one in told if one.kind != "internal"] for name, told in processes.items()}
    found = sorted(_by_function(own), key=lambda one: not one.shared)
    return tuple(found or _by_order(own))


def _by_function(processes: Mapping[str, Sequence[Compilation]]) -> Iterator[Uneven]:
    functions = dict.fromkeys((one.function, one.definition) for told in processes.values() for one in told)
    for function in functions:
        of = {name: [one for one in told if _is(one, function)] for name, told in processes.items()}
        counts = {name: sum(map(_times, told)) for name, told in of.items()}
        what = _difference(of, counts)
        if what is not None:
            shared = any(one.shared for told in of.values() for one in told)
            yield Uneven(*function, what, counts, tuple(_details(of, what)), shared)


def _times(one: Compilation) -> int:
    """What came from disk is as good as compiled."""
    return one.compilations or int(one.status == "DISK")


def _is(one: Compilation, function: Function) -> bool:
    return (one.function, one.definition) == function


def _difference(of: Mapping[str, Sequence[Compilation]], counts: Mapping[str, int]) -> str | None:
    if not all(of.values()):
        return "not on all"
    if len({*counts.values()}) > 1:
        return "counts differ"
    signatures = [Counter(one.signature for one in told if _times(one)) for told in of.values()]
    if any(other != signatures[0] for other in signatures):
        return "signatures differ"
    modules = [Counter(one.module for one in told if one.module) for told in of.values()]
    return "modules differ" if any(other != modules[0] for other in modules) else None


def _details(of: Mapping[str, Sequence[Compilation]], what: str) -> Iterator[str]:
    """What stands on some processes and not on all."""
    told = {name: Counter(_words(one, what) for one in ones) for name, ones in of.items()}
    fewest = {
        text: min(counts[text] for counts in told.values()) for counts in told.values() for text in counts
    }
    for name, counts in told.items():
        apart = [(text, number - fewest[text]) for text, number in counts.items() if number > fewest[text]]
        for text, number in apart[:MOST_TOLD]:
            more = f"{number} more than elsewhere: " if fewest[text] else ""
            yield f"only on process {name}: {more}{text}"
        if len(apart) > MOST_TOLD:
            yield f"only on process {name}: {len(apart) - MOST_TOLD} more"


def _words(one: Compilation, what: str) -> str:
    at = f" at {one.at}" if one.at else ""
    module = f", module {one.module}" if one.module and what == "modules differ" else ""
    return f"{one.signature or one.function}{at}{module}"


def _by_order(processes: Mapping[str, Sequence[Compilation]]) -> Iterator[Uneven]:
    """All compiled the same, and not in the same order: the first place where they part."""
    listed = {name: [one for one in told if _times(one)] for name, told in processes.items()}
    for rank in zip(*listed.values(), strict=False):
        if len({(one.function, one.signature, one.module) for one in rank}) > 1:
            counts = {name: one.seq for name, one in zip(listed, rank, strict=True)}
            details = [f"process {name}: {_words(one, '')}" for name, one in zip(listed, rank, strict=True)]
            shared = any(one.shared for one in rank)
            yield Uneven(
                rank[0].function, rank[0].definition, "order differs", counts, tuple(details), shared
            )
            return
