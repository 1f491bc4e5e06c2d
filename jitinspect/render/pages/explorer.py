"""The page of an exploration, and of a report that has one: its own text comes first."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from html import escape
from itertools import chain
from typing import Literal

from jitinspect.model.explorations import Exploration, Pane
from jitinspect.render.flames import graph
from jitinspect.render.flames.reports import Flames
from jitinspect.render.pages.document import document
from jitinspect.render.text import shown_path

_PLACE = re.compile(r"([^\s:()\[\]]+\.py):(\d+)\b")
_FILE = re.compile(r"[^\s:()\[\]]+\.py\b(?!:)")
_NUMBER = re.compile(r"(?<!\S)(\d+)(?=\s)")
_INSTRUCTION = re.compile(r"%([\w.\-]+)")
_DEFINED = re.compile(r"\s+(?:ROOT )?%([\w.\-]+) = ")
_COMPARED = 24
"""Letters of a line of Python by which a table's copy of it is known: it may be cut."""
_ABOVE_STYLE = "details.graphs { max-height: 60vh; overflow: auto; padding: .3rem .6rem; }\n"


Heat = Literal["flops", "bytes", "seconds"]
"""A quantity of `LineCost`."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What is drawn of characters, as HTML, and the style of its colours."""

    title: str
    html: str
    style: str


def page(
    title: str,
    signature: str,
    about: str,
    command: str,
    exploration: Exploration,
    flames: Sequence[Flames] = (),
    served: int | None = None,
    picture: Picture | None = None,
    heat: Heat | None = None,
) -> Iterator[str]:
    """The HTML in blocks; `command` is what makes it again. The page's script reads all but the flame graphs,
    which have one of their own, and the picture. `served` is the number of this version, if a server has the
    page: then it asks whether there is a later one. `heat` is what bars beside the lines show at first.
    """
    data = {
        "title": title,
        "signature": signature,
        "about": about,
        "command": command,
        "exploration": asdict(exploration),
        **({} if heat is None else {"heat": heat}),
        **({} if served is None else {"served": served}),
    }
    yield from document(
        f"{title} – {command}",
        "explorer",
        json.dumps(data, ensure_ascii=False, separators=(",", ":")),
        is_served=served is not None,
        body=chain(_graphs(flames), _pictures(picture)),
        style=_style(flames, picture),
        script=graph.script() if flames else "",
    )


def _graphs(flames: Sequence[Flames]) -> Iterator[str]:
    """Folded, above the texts."""
    if flames:
        yield '<details class="graphs"><summary>Flame graph</summary>\n'
        for one in flames:
            yield from graph.graph(one)
        yield "</details>\n"


def _pictures(picture: Picture | None) -> Iterator[str]:
    if picture is not None:
        yield f'<details class="graphs"><summary>{escape(picture.title)}</summary>\n'
        yield f'<pre class="picture">{picture.html}</pre></details>\n'


def _style(flames: Sequence[Flames], picture: Picture | None) -> str:
    own = (graph.style() if flames else "") + (picture.style if picture else "")
    return own + _ABOVE_STYLE if own else ""


def with_text(exploration: Exploration, name: str, text: str) -> Exploration:
    """The same with a text in front, whose lines have the origins of what they name: a line of Python, as
    `file.py:12` or in a table below the file's name, or an instruction of the HLO, `%add.3`.
    """
    named, lines = _Named(exploration), text.rstrip("\n").split("\n")
    sets = {found: at for at, found in enumerate(exploration.sets)}
    origins = tuple(sets.setdefault(found, len(sets)) for found in named.origins(lines))
    pane = Pane(name, "text", "\n".join(lines), origins=origins)
    return replace(exploration, sets=tuple(sets), panes=(pane, *exploration.panes))


class _Named:
    """What the lines of a text name."""

    def __init__(self, exploration: Exploration) -> None:
        self._instructions: dict[str, set[int]] = {}
        for name, known in _instructions(exploration):
            self._instructions.setdefault(name, set()).update(known)
        self._made: dict[tuple[str, int], list[int]] = {}
        self._python = dict(_python(exploration))
        files = tuple(map(shown_path, exploration.files))
        for at, origin in enumerate(exploration.origins):
            for place in map(exploration.places.__getitem__, origin.places[:1]):
                self._made.setdefault((files[place.file], place.line), []).append(at)
        self._files = {*files}

    def origins(self, lines: Iterable[str]) -> Iterator[tuple[int, ...]]:
        """Those of each line, sorted."""
        file = ""
        for line in lines:
            file = next((one for one in _FILE.findall(line) if one in self._files), file)
            found: set[int] = set()
            for place in (*self._places(line), *self._copied(line, file)):
                found.update(self._made.get(place, ()))
            for name in _INSTRUCTION.findall(line):
                found.update(self._instructions.get(name, ()))
            yield tuple(sorted(found))

    def _places(self, line: str) -> Iterator[tuple[str, int]]:
        yield from ((shown_path(file), int(number)) for file, number in _PLACE.findall(line))

    def _copied(self, line: str, file: str) -> Iterator[tuple[str, int]]:
        """The line of the file with this number, if it is copied here."""
        for number in map(int, _NUMBER.findall(line) if file else ()):
            text = self._python.get((file, number), "").strip()[:_COMPARED].rstrip()
            if text and text in line:
                yield file, number


def _instructions(exploration: Exploration) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Of the HLO, with their origins."""
    for pane in exploration.panes:
        if pane.language == "hlo" and pane.unavailable is None:
            for line, number in zip(pane.text.split("\n"), pane.origins, strict=True):
                if number and (defined := _DEFINED.match(line)):
                    yield defined[1], exploration.sets[number]


def _python(exploration: Exploration) -> Iterator[tuple[tuple[str, int], str]]:
    """Each line of Python there is, by its place."""
    for pane in exploration.panes:
        if pane.file is not None:
            file = shown_path(exploration.files[pane.file])
            for number, line in enumerate(pane.text.split("\n"), pane.first):
                yield (file, number), line
