"""Files that are damaged in many ways, and what comes of opening each."""

import random
from collections.abc import Iterator
from pathlib import Path

from jitinspect.errors import JitinspectError

CUTS = (0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99)
FLIPS = 16


def variants(content: bytes, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """Cut at several places, with a byte changed at others, and with other things before and after."""
    for part in CUTS:
        yield f"cut-{part}", content[: max(1, int(len(content) * part))]
    chosen = random.Random(seed)
    for number in range(FLIPS):
        at = chosen.randrange(len(content))
        other = chosen.randrange(1, 256)
        yield f"flip-{number}", content[:at] + bytes([content[at] ^ other]) + content[at + 1 :]
    yield "zeros-in-it", content[: len(content) // 2] + bytes(64) + content[len(content) // 2 + 64 :]
    yield "twice", content + content
    yield "other-before", b"PK\x03\x04" + content


OTHERS = {
    "png": b"\x89PNG\r\n\x1a\n" + bytes(range(200)),
    "zip": b"PK\x03\x04" + bytes(100),
    "pickle": b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00}\x94\x8c\x01a\x94K\x01s.",
    "json": b'{"schema": 1, "command": "hlo"}',
    "python": b"import jax\nmodule = 3\n",
    "text": b"module of a book\n" * 40,
    "one-byte": b"M",
    "magic-alone": b"ML\xefR",
    "zeros": bytes(5000),
    "ones": b"\xff" * 5000,
    "elf": b"\x7fELF\x02\x01\x01" + bytes(300),
    "flatbuffer": b"\x10\x00\x00\x00TFL3" + bytes(64),
    "html": b"<!doctype html><html><body>module</body></html>",
    "bad-utf8": b"module @x {\n\xff\xfe\n}",
    "no-main": b"module @x {\n func.func @f() { return }\n}\n",
    "no-arrays": b"module @x {\n func.func public @main(%a: i32) -> i32 { return %a : i32 }\n}\n",
    "hlo-head": b"HloModule x\n",
}
"""What is no such file at all, or is one that cannot be compiled."""


def outcomes(paths: list[str]) -> list[tuple[str, int, str]]:
    """Each path with the exit code that its opening gives, and the message; 0 if it could be opened."""
    return [(path, *_outcome(Path(path))) for path in paths]


def _outcome(path: Path) -> tuple[int, str]:
    from jitinspect.files.opening import check

    try:
        check(path)
    except JitinspectError as error:
        return error.exit_code, error.message
    return 0, ""
