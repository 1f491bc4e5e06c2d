"""The look of each class of tokens, on a terminal and in HTML."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass

CLASSES = {
    "op": ("1", "font-weight: 600"),
    "definition": ("1;36", "color: light-dark(#0b6e75, #56d4dd); font-weight: 600"),
    "name": ("36", "color: light-dark(#0b6e75, #56d4dd)"),
    "symbol": ("1;34", "color: light-dark(#0550ae, #79c0ff); font-weight: 600"),
    "dtype": ("32", "color: light-dark(#116329, #7ee787)"),
    "shape": ("1;32", "color: light-dark(#116329, #7ee787); font-weight: 600"),
    "attribute": ("34", "color: light-dark(#0550ae, #79c0ff)"),
    "number": ("35", "color: light-dark(#8250df, #d2a8ff)"),
    "string": ("31", "color: light-dark(#a40e26, #ffa198)"),
    "keyword": ("1;35", "color: light-dark(#8250df, #d2a8ff); font-weight: 600"),
    "location": ("2", "opacity: .6"),
    "comment": ("2;3", "opacity: .6; font-style: italic"),
}
"""Each class with its SGR parameters and its CSS.

The colours are from the terminal's own palette, and only those that are legible on light and on dark
backgrounds: never white, black or yellow.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Theme:
    """The mark-up of token classes.

    A token is written `opens[class] + escape(token) + close`. A text that contains `reserved` would look like
    mark-up, and stays plain.
    """

    opens: Mapping[str, str]
    close: str
    escape: Callable[[str], str]
    reserved: str | None = None


def _escaped(text: str) -> str:
    return html.escape(text, quote=False)


TERMINAL = Theme(
    {name: f"\x1b[{sgr}m" for name, (sgr, _) in CLASSES.items()}, "\x1b[0m", escape=str, reserved="\x1b"
)
HTML = Theme({name: f"<span class={name}>" for name in CLASSES}, "</span>", escape=_escaped)
CSS = "pre { color-scheme: light dark; }\n" + "".join(
    f"pre .{name} {{ {css}; }}\n" for name, (_, css) in CLASSES.items()
)
"""For a page with the output for `HTML` in `<pre>` elements; light or dark, like the reader's system."""
