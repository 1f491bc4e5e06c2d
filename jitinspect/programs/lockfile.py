"""`compiles.lock`: the functions and signatures that a program compiles, stored next to it and compared."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from jitinspect.errors import LoadError
from jitinspect.model.runs import Check, Compilation
from jitinspect.programs.summary import reasons_text

SCHEMA = 1
LockContents = Mapping[str, Mapping[str, int]]
"""`samples/mlp.py:step` → signature → how often it was compiled."""


def lock_contents(compilations: Iterable[Compilation]) -> LockContents:
    """What was compiled, without the line numbers, which move when other code does."""
    contents: dict[str, Counter[str]] = {}
    for compilation in compilations:
        if compilation.compilations:
            counts = contents.setdefault(_name(compilation), Counter())
            counts[compilation.signature or compilation.function] += compilation.compilations
    return contents


def _name(compilation: Compilation) -> str:
    file = (compilation.definition or "").rpartition(":")[0]
    return f"{file}:{compilation.function}" if file else compilation.function


def to_text(contents: LockContents) -> str:
    """JSON, sorted and with one signature a line, so that a small change of the program is a small diff."""
    return (
        json.dumps({"schema": SCHEMA, "functions": contents}, indent=1, sort_keys=True, ensure_ascii=False)
        + "\n"
    )


def read(path: Path) -> LockContents:
    """Raises `LoadError` for a file that is not a lock file."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["schema"] != SCHEMA:
            raise LoadError(f"{path} has schema {document['schema']}, this jitinspect reads {SCHEMA}")
        functions = document["functions"]
        return {
            str(name): {str(key): int(n) for key, n in signatures.items()}
            for name, signatures in functions.items()
        }
    except OSError as error:
        raise LoadError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        hint = "remove it, and --lock writes a new one"
        raise LoadError(f"{path} is not a jitinspect lock file", hint=hint) from None


def check(path: Path, before: LockContents, now: LockContents, compilations: Iterable[Compilation]) -> Check:
    """Fails on what is new; what is gone is listed all the same."""
    new, gone = _extra(now, before), _extra(before, now)
    by_signature = {
        (_name(compilation), compilation.signature or compilation.function): compilation
        for compilation in compilations
        if compilation.compilations
    }
    lines = [f"new: {_line(name, key, n)}{_at(by_signature.get((name, key)))}" for name, key, n in new]
    lines += [f"gone: {_line(name, key, n)}" for name, key, n in gone]
    first = next((by_signature[name, key].at for name, key, _ in new if (name, key) in by_signature), None)
    return Check(f"--lock {path}", not new, tuple(lines), first)


def _extra(contents: LockContents, others: LockContents) -> list[tuple[str, str, int]]:
    return [
        (name, key, count - others.get(name, {}).get(key, 0))
        for name, counts in contents.items()
        for key, count in counts.items()
        if count > others.get(name, {}).get(key, 0)
    ]


def _line(name: str, signature: str, count: int) -> str:
    file = name.rpartition(":")[0]
    times = f"{count} × " if count > 1 else ""
    return f"{times}{signature}{f'  ({file})' if file else ''}"


def _at(compilation: Compilation | None) -> str:
    if compilation is None:
        return ""
    why = reasons_text(compilation)
    return (f" at {compilation.at}" if compilation.at else "") + (f": {why}" if why else "")
