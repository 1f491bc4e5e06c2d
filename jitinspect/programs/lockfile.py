"""`compiles.lock`: the functions and signatures that a program compiles, kept beside it and compared with."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from jitinspect.errors import LoadError
from jitinspect.model.runs import Check, Compilation
from jitinspect.programs.summary import reasons_text

SCHEMA = 1
Locked = Mapping[str, Mapping[str, int]]
"""`samples/mlp.py:step` → signature → how often it was compiled."""


def locked(compilations: Iterable[Compilation]) -> Locked:
    """What was compiled, without the line numbers, which move when other code does."""
    found: dict[str, Counter[str]] = {}
    for one in compilations:
        if one.compilations:
            counts = found.setdefault(_name(one), Counter())
            counts[one.signature or one.function] += one.compilations
    return found


def _name(one: Compilation) -> str:
    file = (one.definition or "").rpartition(":")[0]
    return f"{file}:{one.function}" if file else one.function


def to_text(found: Locked) -> str:
    """JSON, a signature a line and sorted, so that a change of the program is a small one of the file."""
    return (
        json.dumps({"schema": SCHEMA, "functions": found}, indent=1, sort_keys=True, ensure_ascii=False)
        + "\n"
    )


def read(path: Path) -> Locked:
    """Raises `LoadError` for what is no lock file."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["schema"] != SCHEMA:
            raise LoadError(f"{path} has schema {document['schema']}, this jitinspect reads {SCHEMA}")
        functions = document["functions"]
        return {str(name): {str(key): int(n) for key, n in told.items()} for name, told in functions.items()}
    except OSError as error:
        raise LoadError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        hint = "remove it, and --lock writes a new one"
        raise LoadError(f"{path} is not a jitinspect lock file", hint=hint) from None


def check(path: Path, before: Locked, now: Locked, compilations: Iterable[Compilation]) -> Check:
    """Fails on what is new; what is gone is told all the same."""
    new, gone = _more(now, before), _more(before, now)
    made = {(_name(one), one.signature or one.function): one for one in compilations if one.compilations}
    told = [f"new: {_told(name, key, n)}{_at(made.get((name, key)))}" for name, key, n in new]
    told += [f"gone: {_told(name, key, n)}" for name, key, n in gone]
    first = next((made[name, key].at for name, key, _ in new if (name, key) in made), None)
    return Check(f"--lock {path}", not new, tuple(told), first)


def _more(these: Locked, than_those: Locked) -> list[tuple[str, str, int]]:
    return [
        (name, key, count - than_those.get(name, {}).get(key, 0))
        for name, counts in these.items()
        for key, count in counts.items()
        if count > than_those.get(name, {}).get(key, 0)
    ]


def _told(name: str, signature: str, count: int) -> str:
    file = name.rpartition(":")[0]
    times = f"{count} × " if count > 1 else ""
    return f"{times}{signature}{f'  ({file})' if file else ''}"


def _at(one: Compilation | None) -> str:
    if one is None:
        return ""
    why = reasons_text(one)
    return (f" at {one.at}" if one.at else "") + (f": {why}" if why else "")
