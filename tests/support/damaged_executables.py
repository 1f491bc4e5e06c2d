"""Files that are damaged in many ways, none of which harms: what reading them comes to.

Run as a program with a folder, writes them there, reads them, and prints how many there are, what became of
each, and the most memory that this took, in KiB.
"""

import gzip
import json
import os
import random
import re
import sys
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
from jax.experimental.serialize_executable import serialize

from jitinspect.errors import JitinspectError
from jitinspect.files.opening import opened
from jitinspect.readings import collectives, constants, cost, sharding, source
from jitinspect.stages import inspection
from jitinspect.stages.inspection import Request

READINGS = [one.read for one in (cost, source, constants, collectives, sharding)]


def step(params, x):
    return jnp.mean(jnp.tanh(x @ params["w"] + params["b"]) ** 2)


def whole() -> dict[str, bytes]:
    """A file of each kind, whole."""
    types = jax.eval_shape(lambda: ({"w": jnp.ones((64, 32)), "b": jnp.ones(32)}, jnp.ones((16, 64))))
    compiled = jax.jit(step).lower(*types).compile()
    executable = compiled.runtime_executable()
    return {
        "text": compiled.as_text().encode(),
        "proto": executable.hlo_modules()[0].as_serialized_hlo_module_proto(),
        "executable": executable.serialize(),
        "pickle": serialize(compiled)[0],
        "entry": zlib.compress(bytes(4) + executable.serialize()),
        "gzip": gzip.compress(compiled.as_text().encode(), mtime=0),
    }


def variants(content: bytes) -> Iterator[bytes]:
    """Cut at each part, with flipped bits, with a hole, with noise in it, behind a wrong beginning."""
    chance = random.Random(len(content))
    yield from (content[: len(content) * part // 8] for part in range(8))
    for count in (1, 1, 2, 4, 8, 16):
        flipped = bytearray(content)
        for _ in range(count):
            flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
        yield bytes(flipped)
    at = len(content) // 2
    yield content[:at] + content[at + 40 :]
    yield content[:at] + chance.randbytes(40) + content[at:]
    yield b"\x00\x01" + content
    yield content[::-1]


def bomb(wbits: int, start: bytes = b"") -> bytes:
    """Expands to 300 MiB, which are never in memory here."""
    stream, block = zlib.compressobj(1, wbits=wbits), bytes(1 << 20)
    blocks = (stream.compress(one) for one in (start, *[block] * 300))
    return b"".join([*blocks, stream.flush()])


def write(folder: Path) -> int:
    """How many were written."""
    made = [(name, one) for name, content in whole().items() for one in variants(content)]
    for number, (name, content) in enumerate(made):
        (folder / f"{number}.{name}").write_bytes(content)
    (folder / "bomb.entry").write_bytes(bomb(15))
    (folder / "bomb.gz").write_bytes(bomb(31, b"HloModule a, is_scheduled=true"))
    os.mkfifo(folder / "pipe.hlo")
    (folder / "folder").mkdir()
    return len(made) + 4


def most_memory() -> int:
    """KiB since this program began: `ru_maxrss` would also count what the process had that started it."""
    (most,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(most)


def outcomes(folder: Path) -> dict[str, str]:
    """By name, what is told of each; `whole` for what can be read. Everything else is raised."""
    chance = random.Random(0)
    return {path.name: _outcome(path, chance) for path in sorted(folder.iterdir())}


def _outcome(path: Path, chance: random.Random) -> str:
    request = partial(Request, ref=str(path), dims={})
    try:
        inspection.inspect(request(command="hlo", stages=("hlo",)), opener=opened)
        inspection.read(request(command="", stages=()), chance.choice(READINGS), opener=opened)
    except JitinspectError as error:
        return f"{error.exit_code} {error.message}"
    return "whole"


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    written = write(folder)
    print(json.dumps([written, outcomes(folder), most_memory()]))
