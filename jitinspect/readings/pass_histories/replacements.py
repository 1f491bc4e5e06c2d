"""What took the place of the instructions that a pass removed, as far as XLA says so: by the metadata that it
gives to what it makes, and by what the users of an instruction use afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from jitinspect.model.pass_histories import Replaced
from jitinspect.readings.pass_histories.versions import Version

Names = Sequence[str]


def replaced(before: Version, after: Version, origins: Sequence[int]) -> tuple[Replaced, ...]:
    """`origins` are those of all lines, by their numbers."""
    gone = [name for name in before.at if name not in after.at]
    came = [name for name in after.at if name not in before.at]
    found = [
        *_by_metadata(before, after, _by_origin(before, gone, origins), _by_origin(after, came, origins))
    ]
    found += _by_users(before, after, gone)
    return tuple(found)


def _by_origin(version: Version, names: Names, origins: Sequence[int]) -> dict[int, list[str]]:
    made: dict[int, list[str]] = {}
    for name in names:
        if origin := origins[version.at[name]]:
            made.setdefault(origin, []).append(name)
    return made


def _by_metadata(
    before: Version, after: Version, gone: Mapping[int, Names], came: Mapping[int, Names]
) -> Iterator[Replaced]:
    """Of several with the same metadata, those with the same opcode belong together. In the order of the
    module: that of a set of opcodes is another in each process.
    """
    for origin in (one for one in gone if one in came):
        old, new = _by_opcode(before, gone[origin]), _by_opcode(after, came[origin])
        for opcode in [one for one in old if one in new]:
            yield _replaced(before, after, old.pop(opcode), new.pop(opcode))
        if old and new:
            yield _replaced(before, after, [*_all(old)], [*_all(new)])
        elif old:
            yield Replaced("unknown", _numbers(before, _all(old)), _numbers(after, came[origin]))
        elif new:
            yield Replaced("unknown", _numbers(before, gone[origin]), _numbers(after, _all(new)))


def _all(groups: Mapping[str, Names]) -> Iterator[str]:
    for names in groups.values():
        yield from names


def _replaced(before: Version, after: Version, old: Names, new: Names) -> Replaced:
    """Which became which is not known, if there are several on either side: a fusion counts with its root."""
    results = [name for name in new if not (after.is_root(name) and _fusions(after, name, new))]
    is_known = len(old) == 1 or len(results) == 1
    return Replaced("metadata" if is_known else "unknown", _numbers(before, old), _numbers(after, new))


def _fusions(version: Version, name: str, among: Names) -> list[str]:
    """Those of `among` that call the computation of `name`."""
    callers = version.callers.get(version.computations[name], ())
    return [caller for caller in callers if caller in among]


def _by_opcode(version: Version, names: Names) -> dict[str, list[str]]:
    made: dict[str, list[str]] = {}
    for name in names:
        made.setdefault(_opcode(version, name), []).append(name)
    return made


def _opcode(version: Version, name: str) -> str:
    """A fusion has that of its root: their results are the same."""
    root = next((version.root(called) for called in version.fused(name)), None)
    return version.operation(root or name).opcode


def _by_users(before: Version, after: Version, gone: Names) -> Iterator[Replaced]:
    """What uses a removed instruction before the pass, and others in its place afterwards."""
    instead: dict[str, dict[str, None]] = {name: {} for name in gone}
    if not gone:
        return
    for user, number in before.at.items():
        if after.at.get(user, number) == number:
            continue
        old, new = before.operation(user), after.operation(user)
        if old.opcode == new.opcode and len(old.operands) == len(new.operands):
            for was, now in zip(old.operands, new.operands, strict=True):
                if was != now and was in instead:
                    instead[was][now] = None
    for name, others in instead.items():
        known = [one for one in others if one in after]
        if known:
            yield Replaced("users", _numbers(before, [name]), _numbers(after, known))


def _numbers(version: Version, names: Iterable[str]) -> tuple[int, ...]:
    return tuple(version.at[name] for name in names)
