"""Coloured jaxprs, StableHLO, HLO, LLVM IR and machine code, fast enough for texts of many megabytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

from jitinspect.render.highlight import asm, hlo, jaxpr, llvm, stablehlo
from jitinspect.render.highlight.engine import BLOCK, Grammar, Painter
from jitinspect.render.highlight.theme import Theme

_GRAMMARS: dict[str, Callable[[str], Grammar]] = {
    "jaxpr": lambda text: jaxpr.GRAMMAR,
    "stablehlo": lambda text: stablehlo.GRAMMAR,
    "hlo": hlo.grammar,
    "llvm": lambda text: llvm.GRAMMAR,
    "asm": lambda text: asm.GRAMMAR,
}


def highlight(text: str, language: str, theme: Theme) -> Iterator[str]:
    """The coloured text in blocks of whole lines, the first one at once.

    `language` is jaxpr, stablehlo, hlo, llvm or asm; a text in any other stays plain. For any `text`, the
    result without the theme's mark-up is `text`.
    """
    if language not in _GRAMMARS:
        yield from map(theme.escape, _blocks(text))
        return
    yield from map(_painter(_GRAMMARS[language](text), theme).paint, _blocks(text))


@cache
def _painter(grammar: Grammar, theme: Theme) -> Painter:
    """One for the whole process: the signatures of a log, for example, are nearly all alike."""
    return Painter(grammar, theme)


def _blocks(text: str) -> Iterator[str]:
    start = 0
    while start < len(text):
        end = text.find("\n", start + BLOCK) + 1 or len(text)
        yield text[start:end]
        start = end
