"""Object files → the machine code of each function in them, by `objdump` or `llvm-objdump`.

x86 is shown in Intel syntax, other machines in their own. Addresses are left
out; jumps within a function go to labels, `.L1f` at byte 0x1f; what a relocation
names (a constant, a called function) comes after its instruction.
"""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from jitinspect.errors import UnavailableError

_TOOLS = ("objdump", "llvm-objdump")
NO_TOOL = "no disassembler: neither objdump nor llvm-objdump is on PATH"
_FUNCTION = re.compile(r"([0-9a-f]+) <(.+)>:$")
_RELOCATION = re.compile(r"\s+[0-9a-f]+:\s+([A-Z]\w+)\s+(\S+)$")
_INSTRUCTION = re.compile(r"\s*([0-9a-f]+):\s+(\S.*)$")
_JUMP = re.compile(r"(?:0x)?[0-9a-f]+ <([^<>]+?)(?:\+0x([0-9a-f]+))?>$")
_PADDING = re.compile(r"(?:data16 |cs )*nop|xchg\s+ax,\s?ax$|int3$")


def tool() -> str | None:
    """The path of the disassembler to use, if this machine has one."""
    return next(filter(None, map(shutil.which, _TOOLS)), None)


def require_tool() -> str:
    """The same, or an `UnavailableError` that names what to install."""
    if path := tool():
        return path
    raise UnavailableError(NO_TOOL, hint="install binutils (apt, dnf or brew install binutils) or LLVM")


def functions(objects: Iterable[Path]) -> Iterator[tuple[str, str]]:
    """Name and code of each function, in the order of the files. Raises `UnavailableError`."""
    files = [str(file) for file in objects]
    if not files:
        return
    name, start, lines = "", 0, list[str]()
    for line in _objdump(files).split("\n"):
        if header := _FUNCTION.match(line):
            if name:
                yield name, _readable(name, start, lines)
            name, start, lines = header[2], int(header[1], 16), []
        else:
            lines.append(line)
    if name:
        yield name, _readable(name, start, lines)


def _objdump(files: list[str]) -> str:
    path = require_tool()
    intel = ["-M", "intel"] if platform.machine().lower() in ("x86_64", "amd64", "i686") else []
    done = subprocess.run(
        [path, "-d", "-r", "--no-show-raw-insn", *intel, *files], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise UnavailableError(f"{path} failed: {done.stderr.strip() or f'exit code {done.returncode}'}")
    return done.stdout


def _readable(name: str, start: int, lines: list[str]) -> str:
    """The function's code with labels instead of addresses."""
    code = list(_instructions(name, lines))
    while code and _PADDING.match(code[-1][1]):
        code.pop()
    targets = {label for _, _, label in code if label is not None}
    shown = [f"{name}:"]
    for address, text, _ in code:
        if address - start in targets:
            shown.append(f".L{address - start:x}:")
        mnemonic, _, operands = text.partition(" ")
        shown.append(f"    {mnemonic:<6} {operands}".rstrip())
    return "\n".join(shown)


def _instructions(name: str, lines: list[str]) -> Iterator[tuple[int, str, int | None]]:
    """Address, text and, for a jump within the function, the offset it goes to."""
    waiting: tuple[int, str, int | None] | None = None
    for line in lines:
        if (relocation := _RELOCATION.match(line)) and waiting and relocation[1].isupper():
            waiting = (waiting[0], f"{waiting[1]}  # {relocation[2]}", waiting[2])
        elif found := _INSTRUCTION.match(line):
            if waiting:
                yield waiting
            waiting = (int(found[1], 16), *_with_label(name, re.sub(r"\s+", " ", found[2])))
    if waiting:
        yield waiting


def _with_label(name: str, text: str) -> tuple[str, int | None]:
    jump = _JUMP.search(text)
    if jump is None or jump[1] != name or "#" in text:
        return text, None
    offset = int(jump[2] or "0", 16)
    return f"{text[: jump.start()]}.L{offset:x}", offset
