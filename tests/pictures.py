"""The README's pictures of a terminal: real output of the real command, as SVG.

    python tests/pictures.py

makes those of `docs/` again, and those of pages (`page_pictures.py`). A picture needs nothing from a network
and looks the same everywhere but for the reader's monospaced font. Its durations are those of one recorded
run, so that it changes only when what the command says does. `tests/e2e/test_readme.py` holds that the
pictures are current.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs"
COLUMNS = 100
_DURATION = re.compile(r"(?P<dot>· )?(?P<cell> *\d[\d.]* (?:µs|ms|s)\b)")


@dataclass(frozen=True)
class Picture:
    """A command line, `\\` and a newline where it is continued, and the durations that it shows."""

    name: str
    command: str
    durations: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        return FOLDER / f"{self.name}.svg"


PICTURES = (
    Picture(
        "trace-cache",
        "jitinspect trace-cache samples/seed.calls",
        ("117.7 ms", "55.5 ms", "163.8 ms", "133.9 ms", "470.8 ms", "173.2 ms", "297.7 ms"),
    ),
    Picture(
        "source",
        "jitinspect source samples.transformer:attention -q --shape 4,128,256 \\\n"
        "    --arg \"{'qkv': f32[256,768], 'out': f32[256,256]}\"",
    ),
    Picture(
        "hlo",
        "jitinspect hlo samples.mlp:loss_fn --shape 128,784 --shape 784,256 \\\n"
        "    --fusion ynn_fusion --source",
        ("9.3 ms", "32.6 ms", "91.2 ms"),
    ),
)


def made(picture: Picture) -> str:
    """The SVG, from what the command of this environment prints now. Raises where it fails."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("JAX_", "XLA_"))}
    commands = Path(sys.executable).parent
    finished = subprocess.run(
        ["bash", "-c", f"{picture.command} --color always 2>&1"],
        cwd=ROOT,
        env={**environ, "COLUMNS": str(COLUMNS), "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    prompt = f"\x1b[1;32m$\x1b[0m \x1b[1m{picture.command}\x1b[0m\n"
    return to_svg(picture.command, prompt + with_durations(finished.stdout, picture.durations))


def with_durations(text: str, durations: tuple[str, ...]) -> str:
    """`text` with these in place of its own durations: right-aligned, or after a dot."""
    recorded = iter(durations)

    def recorded_one(found: re.Match[str]) -> str:
        return f"· {next(recorded)}" if found["dot"] else next(recorded).rjust(len(found["cell"]))

    shown = _DURATION.sub(recorded_one, text)
    assert next(recorded, None) is None, "more durations are recorded than shown"
    return shown


# The look: GitHub's dark colours, on a ground of its own for light pages.

_GROUND, _EDGE, _BAR = "#0d1117", "#30363d", "#161b22"
_PLAIN, _DIM = "#e6edf3", "#8b949e"
_COLOURS = {1: "#ff7b72", 2: "#7ee787", 3: "#e3b341", 4: "#79c0ff", 5: "#d2a8ff", 6: "#56d4dd"}
_BUTTONS = ("#ff5f57", "#febc2e", "#28c840")
_FONTS = "ui-monospace, SFMono-Regular, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace"
_SIZE, _CELL, _LINE = 14, 8.4, 19
"""The font's size, and the room of a character and of a line."""
_MARGIN, _TOP = 18, 46

_BRACKETS = {
    "│": "M{x} {top}V{bottom}",
    "├": "M{x} {top}V{bottom}M{x} {middle}H{right}",
    "╭": "M{x} {bottom}V{below}Q{x} {middle} {right} {middle}",
    "╰": "M{x} {top}V{above}Q{x} {middle} {right} {middle}",
}
"""Drawn, not written, for a font's own leave gaps between lines."""


def to_svg(title: str, ansi: str) -> str:
    """A terminal window with this text in it, wrapped as a terminal wraps it."""
    lines = _wrapped(ansi)
    width = round(2 * _MARGIN + COLUMNS * _CELL)
    height = _TOP + len(lines) * _LINE + _MARGIN
    styles: dict[str, str] = {}
    body = [part for row, line in enumerate(lines) for part in _line(line, row, styles)]
    buttons = "".join(
        f'<circle cx="{20 + 20 * at}" cy="17" r="6" fill="{color}"/>' for at, color in enumerate(_BUTTONS)
    )
    css = "".join(f".{name}{{{declared}}}" for declared, name in styles.items())
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" role="img">',
            f"<title>{escape(title)}</title>",
            f"<style>text{{font:{_SIZE}px {_FONTS};white-space:pre}}path{{fill:none;stroke-width:1.4}}{css}"
            "</style>",
            f'<rect x=".5" y=".5" width="{width - 1}" height="{height - 1}" rx="9" fill="{_GROUND}" '
            f'stroke="{_EDGE}"/>',
            f'<path d="M1 34V9.5A8.5 8.5 0 0 1 9.5 1H{width - 9.5}A8.5 8.5 0 0 1 {width - 1} 9.5V34Z" '
            f'style="fill:{_BAR}"/>',
            buttons,
            *body,
            "</svg>\n",
        ]
    )


def _wrapped(ansi: str) -> list[list[Segment]]:
    console = Console(width=COLUMNS, color_system="standard", force_terminal=True)
    lines = []
    for line in Text.from_ansi(ansi).split("\n"):
        line.rstrip()
        cut = line.divide(range(COLUMNS, len(line.plain), COLUMNS))
        lines += [list(part.render(console)) for part in cut]
    return lines


def _line(line: list[Segment], row: int, styles: dict[str, str]) -> Iterator[str]:
    column = 0
    for text, style, _ in line:
        for run in re.finditer("[│├╭╰]|(?:(?! {2,})[^│├╭╰])+", text):
            if run.group().strip():
                yield _run(run.group(), column + run.start(), row, styles, style or Style())
        column += len(text)


def _run(text: str, column: int, row: int, styles: dict[str, str], style: Style) -> str:
    column, text = column + len(text) - len(text.lstrip()), text.strip()
    x, top = _MARGIN + column * _CELL, _TOP + row * _LINE
    color = _color(style)
    if text in _BRACKETS:
        places = {"top": top, "bottom": top + _LINE, "middle": top + _LINE / 2, "x": x + _CELL / 2,
                  "right": x + _CELL, "above": top + _LINE / 4, "below": top + 3 * _LINE / 4}  # fmt: skip
        drawn = _BRACKETS[text].format(**{name: f"{place:g}" for name, place in places.items()})
        return f'<path d="{drawn}" style="stroke:{color}"/>'
    declared = f"fill:{color}" + (";font-weight:700" if style.bold else "")
    declared += ";font-style:italic" if style.italic else ""
    name = styles.setdefault(declared, f"s{len(styles)}")
    length = f' textLength="{len(text) * _CELL:g}"' if len(text) > 1 else ""
    return f'<text class="{name}" x="{x:g}" y="{top + 14}"{length}>{escape(text, quote=False)}</text>'


def _color(style: Style) -> str:
    if style.color is not None and style.color.number is not None:
        return _COLOURS[style.color.number % 8]
    return _DIM if style.dim else _PLAIN


def make_all() -> Iterator[Path]:
    """Writes all pictures; their files."""
    for picture in PICTURES:
        picture.path.write_text(made(picture), encoding="utf-8")
        yield picture.path


def main() -> None:
    sys.path.insert(0, str(ROOT))
    from tests import page_pictures

    FOLDER.mkdir(exist_ok=True)
    for path in (*make_all(), *page_pictures.make_all()):
        print(f"made {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
