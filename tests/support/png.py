"""PNG files in few bytes, and what they say about themselves."""

import struct
import zlib
from array import array
from collections import Counter
from collections.abc import Iterator

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOURS = 256
"""That a palette has at most."""

Colour = tuple[int, int, int]


def with_palette(pixels: "array[int]", width: int, note: str) -> bytes:
    """The picture with its most frequent colours, and for all others the nearest of these. `pixels` are as a
    browser's canvas has them on a little-endian machine: 0xAABBGGRR. `note` can be read by `note_of`.
    """
    palette = [colour for colour, _ in Counter(pixels).most_common(_COLOURS)]
    known = [_parts(colour) for colour in palette]
    numbers = {colour: _nearest(_parts(colour), known) for colour in set(pixels)}
    rows = (pixels[at : at + width] for at in range(0, len(pixels), width))
    content = b"".join(b"\0" + bytes(map(numbers.__getitem__, row)) for row in rows)
    header = struct.pack(">IIBBBBB", width, len(pixels) // width, 8, 3, 0, 0, 0)
    chunks = (
        (b"IHDR", header),
        (b"tEXt", b"Comment\0" + note.encode("ascii")),
        (b"PLTE", b"".join(map(bytes, known))),
        (b"IDAT", zlib.compress(content, 9)),
        (b"IEND", b""),
    )
    return _SIGNATURE + b"".join(_chunk(kind, body) for kind, body in chunks)


def size_of(png: bytes) -> tuple[int, int]:
    """Width and height in pixels."""
    width, height = struct.unpack(">II", dict(_chunks(png))[b"IHDR"][:8])
    return width, height


def note_of(png: bytes) -> str:
    return dict(_chunks(png))[b"tEXt"].removeprefix(b"Comment\0").decode("ascii")


def _parts(pixel: int) -> Colour:
    return pixel & 255, pixel >> 8 & 255, pixel >> 16 & 255


def _nearest(colour: Colour, palette: list[Colour]) -> int:
    def distance(at: int) -> int:
        return sum((one - other) ** 2 for one, other in zip(colour, palette[at], strict=True))

    return min(range(len(palette)), key=distance)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_SIGNATURE)
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += 12 + length
