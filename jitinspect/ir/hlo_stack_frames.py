"""The tables at the top of an HLO module → the Python lines of a `stack_frame_id`."""

from __future__ import annotations

import re

from jitinspect.ir.program import Frame

_TABLES = ("FileNames", "FunctionNames", "FileLocations", "StackFrames")
_NAMED = re.compile(r'^(\d+) "((?:[^"\\]|\\.)*)"$', re.MULTILINE)
_LOCATION = re.compile(r"^(\d+) \{file_name_id=(\d+) function_name_id=(\d+) line=(\d+)", re.MULTILINE)
_FRAME = re.compile(r"^(\d+) \{file_location_id=(\d+)(?: parent_frame_id=(\d+))?\}", re.MULTILINE)


class StackFrames:
    """`stack_frames[id]` is the stack of that id, innermost first.

    The printed id of a parent is one too high (jaxlib 0.10.2, 0.12.0): 1 means that there is no parent.
    """

    def __init__(self, text: str) -> None:
        tables = {name: _table(text, name) for name in _TABLES}
        files = {number: _plain(name) for number, name in _NAMED.findall(tables["FileNames"])}
        functions = {number: _plain(name) for number, name in _NAMED.findall(tables["FunctionNames"])}
        locations = {
            number: Frame(files.get(file, ""), int(line), functions.get(function, ""))
            for number, file, function, line in _LOCATION.findall(tables["FileLocations"])
        }
        self._frames = {
            int(number): (locations[location], int(parent or 1) - 1)
            for number, location, parent in _FRAME.findall(tables["StackFrames"])
            if location in locations
        }
        self._known: dict[int, tuple[Frame, ...]] = {}

    def places(self) -> set[Frame]:
        """Each place that is on a stack."""
        return {frame for frame, _ in self._frames.values()}

    def __getitem__(self, number: int) -> tuple[Frame, ...]:
        """Empty for an id that is not in the tables."""
        if number not in self._known:
            frames: list[Frame] = []
            at: int = number
            while at in self._frames and len(frames) < len(self._frames):
                frame, at = self._frames[at]
                frames.append(frame)
            self._known[number] = tuple(frames)
        return self._known[number]


def _table(text: str, name: str) -> str:
    """The rows below the table's name, up to the next empty line."""
    start = text.find(f"\n{name}\n")
    return text[start + len(name) + 2 : text.find("\n\n", start + 2)] if start >= 0 else ""


def _plain(name: str) -> str:
    return name.replace('\\"', '"').replace("\\\\", "\\") if "\\" in name else name
