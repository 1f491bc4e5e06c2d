"""Colour a text at a small multiple of the time it takes to split it into lines.

In the texts of compilers nearly everything recurs, but for the names of values. So a block is split
at its names, by one regular expression; the pieces between them (` = f32[8,64] multiply(`) are few,
and each is coloured once and then looked up. Names are coloured as they stand: a piece's rendering
closes the name before it and opens the one behind it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from jitinspect.render.highlight.theme import Theme

BLOCK = 1 << 15
"""Characters; a block goes on to the end of its last line."""
_LONGEST, _MOST = 512, 1 << 14
"""What is longer is not remembered; nor is more than so many pieces or words at once."""

STRING = r'"[^"\\\n]*(?:\\.[^"\\\n]*)*"'
"""In double quotes, with escapes by backslash, on one line."""


@dataclass(frozen=True, slots=True, eq=False)
class Grammar:
    """What the tokens of one language are.

    `name` is the expression for the names of values, in characters that no theme needs
    to escape. `tokens` are pairs of a class and its expression; the first that matches
    counts, and the last ones should take whole words. "plain" is no class; "unfinished"
    is the beginning of a string of which the end is not there.

    `cut`: pieces are cut at it into words. A token need not see beyond its word, unless
    it is a string. `before`: the class of a name by what the text before it ends with, any
    run of spaces being one; it is "name" where nothing fits. `aside`: what begins with the one,
    behind a name, is new each time; it stays dim up to and without the other. `comment`: how a line
    begins that is a comment as a whole, such as a line of the user's Python.
    """

    name: str
    tokens: tuple[tuple[str, str], ...]
    cut: str
    before: tuple[tuple[str, str], ...] = ()
    aside: tuple[str, str] = ("\0", "\0")
    comment: str = "// "


class _Unfinished(Exception):
    """The text was split or cut inside of a string."""


class Painter:
    """Colours blocks of text; what it has learnt from one serves the next."""

    def __init__(self, grammar: Grammar, theme: Theme) -> None:
        self._theme = theme
        self._split = re.compile(f"({grammar.name})").split
        self._pieces = _Pieces(grammar, theme)
        names = ("definition", f"{grammar.name}(?= = )"), ("name", grammar.name)
        self._tokens = _Tokens((*names, *grammar.tokens), theme)
        self._comment = grammar.comment
        self._split_comments = re.compile(f"^( *)({grammar.comment}[^\n]*)", re.M).split

    def paint(self, block: str) -> str:
        """The block with colours. Its lines must be whole."""
        if self._theme.reserved and self._theme.reserved in block:
            return self._theme.escape(block)
        self._pieces.forget()
        if self._comment not in block:
            return self._code(block)
        parts = self._split_comments(block)
        parts[::3] = map(self._code, parts[::3])
        parts[2::3] = map(self._commented, parts[2::3])
        return "".join(parts)

    def _commented(self, text: str) -> str:
        return self._theme.opens["comment"] + self._theme.escape(text) + self._theme.close

    def _code(self, block: str) -> str:
        try:
            return self._painted(block)
        except _Unfinished:
            return "".join(map(self._line, re.findall(r"[^\n]*\n|[^\n]+", block)))

    def _painted(self, block: str) -> str:
        parts = self._split(block)
        if len(parts) == 1:
            return self._pieces.words.render(block)
        parts[0] = self._pieces.first(parts[0])
        parts[-1] = self._pieces.last(parts[-1])
        parts[2:-1:2] = map(self._pieces.__getitem__, parts[2:-1:2])
        return "".join(parts)

    def _line(self, line: str) -> str:
        try:
            return self._painted(line)
        except _Unfinished:
            return self._tokens.marked(line)


class _Pieces(dict[str, str]):
    """What stands between two names, coloured, from closing the one's colour to opening the other's."""

    def __init__(self, grammar: Grammar, theme: Theme) -> None:
        super().__init__()
        self.words = _Words(grammar, theme)
        self._before = [(ending, theme.opens[kind]) for ending, kind in grammar.before]
        self._open_name = theme.opens["name"]
        self._aside, self._aside_end = grammar.aside
        self._open_aside = theme.close + theme.opens["location"]
        self._close, self._escape = theme.close, theme.escape

    def __missing__(self, piece: str) -> str:
        if piece.startswith(self._aside) and (end := piece.find(self._aside_end)) > 0:
            return self._open_aside + self._escape(piece[:end]) + self[piece[end:]]
        rendered = self._close + self.words.render(piece) + self._open(piece)
        if len(piece) <= _LONGEST:
            self[piece] = rendered
        return rendered

    def first(self, piece: str) -> str:
        """At the start of a line, with no name before it."""
        return self.words.render(piece) + self._open("\n" + piece)

    def last(self, piece: str) -> str:
        """With no name behind it."""
        return self[piece].removesuffix(self._open(piece))

    def forget(self) -> None:
        """Keep the memory bounded, whatever the text."""
        for memo in (self, self.words):
            if len(memo) > _MOST:
                memo.clear()

    def _open(self, piece: str) -> str:
        end = piece.rstrip(" ") + " " if piece.endswith(" ") else piece
        for ending, opening in self._before:
            if end.endswith(ending):
                return opening
        return self._open_name


class _Words(dict[str, str]):
    """Words, coloured: most pieces that are new are put together from words that are not."""

    def __init__(self, grammar: Grammar, theme: Theme) -> None:
        super().__init__()
        self._cut = grammar.cut
        self._tokens = _Tokens(grammar.tokens, theme)

    def render(self, piece: str) -> str:
        try:
            return self._cut.join(map(self.__getitem__, piece.split(self._cut)))
        except _Unfinished:
            return self._tokens.marked(piece, strict=True)

    def __missing__(self, word: str) -> str:
        rendered = self._tokens.marked(word, strict=True)
        if len(word) <= _LONGEST:
            self[word] = rendered
        return rendered


class _Tokens:
    """The slow and exact part: each token is found and marked up."""

    def __init__(self, tokens: tuple[tuple[str, str], ...], theme: Theme) -> None:
        # The empty group behind each alternative tells which one it was. With a group around it, the
        # alternatives could no longer be told apart by their first character, which is twice as slow.
        self._find = re.compile("|".join(f"{expression}()" for _, expression in tokens), re.M).finditer
        self._opens = [None, *(theme.opens.get(kind) for kind, _ in tokens)]
        self._unfinished = {index for index, (kind, _) in enumerate(tokens, 1) if kind == "unfinished"}
        self._close, self._escape = theme.close, theme.escape

    def marked(self, text: str, strict: bool = False) -> str:
        """`strict`: raise `_Unfinished` where there is only the beginning of a string."""
        escape, close = self._escape, self._close
        marked: list[str] = []
        end = 0
        for token in self._find(text):
            index = token.lastindex or 0
            if (opening := self._opens[index]) is not None:
                start, stop = token.span()
                marked += (escape(text[end:start]), opening, escape(text[start:stop]), close)
                end = stop
            elif strict and index in self._unfinished:
                raise _Unfinished
        return "".join(marked) + escape(text[end:])
