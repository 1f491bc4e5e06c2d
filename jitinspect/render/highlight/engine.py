"""Colour a text at a small multiple of the time it takes to split it into lines.

In compiler output nearly everything repeats, except the names of values. So one regular expression splits
a block at its names; the pieces between them (` = f32[8,64] multiply(`) are few, and each is coloured once
and then looked up. Names stay as they are: the rendering of a piece closes the name before it and opens
the one after it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from jitinspect.render.highlight.theme import Theme

BLOCK = 1 << 15
"""Characters of a block, which extends to the end of its last line."""
_LONGEST, _MOST = 512, 1 << 14
"""The longest piece or word that is cached, and how many of them."""

STRING = r'"[^"\\\n]*(?:\\.[^"\\\n]*)*"'
"""In double quotes, with backslash escapes, on one line."""


@dataclass(frozen=True, slots=True, eq=False)
class Grammar:
    """The tokens of a language.

    `name` is the expression for the names of values, in characters that no theme needs to escape. `tokens`
    are pairs of a class and its expression. The first match counts, and the last expressions should match
    whole words. "plain" is no class; "unfinished" is the beginning of a string without its end.

    `cut`: where pieces are cut into words. A token must not need text beyond its word, unless it is a string.
    `before`: the class of a name, by the end of the text before it, where a run of spaces counts as one;
    without a match it is "name". `aside`: text after a name that begins with the first string is new each
    time; it is dim up to the second string. `comment`: the beginning of a line that is one comment, such as
    a line of the user's Python.
    """

    name: str
    tokens: tuple[tuple[str, str], ...]
    cut: str
    before: tuple[tuple[str, str], ...] = ()
    aside: tuple[str, str] = ("\0", "\0")
    comment: str = "// "


class _Unfinished(Exception):
    """The text was split or cut inside a string."""


class Painter:
    """Colours blocks of text; the cache of one block serves the next."""

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
    """The pieces between names, coloured: each closes the colour of one name and opens that of the next."""

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
        """With no name after it."""
        return self[piece].removesuffix(self._open(piece))

    def forget(self) -> None:
        """Bound the caches, whatever the text."""
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
    """Words, coloured: most new pieces consist of known words."""

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
    """The slow and exact part: find each token and mark it up."""

    def __init__(self, tokens: tuple[tuple[str, str], ...], theme: Theme) -> None:
        # The empty group after each alternative says which one matched. With a group around it, `re` could
        # no longer choose an alternative by its first character, which is twice as slow.
        self._find = re.compile("|".join(f"{expression}()" for _, expression in tokens), re.M).finditer
        self._opens = [None, *(theme.opens.get(kind) for kind, _ in tokens)]
        self._unfinished = {index for index, (kind, _) in enumerate(tokens, 1) if kind == "unfinished"}
        self._close, self._escape = theme.close, theme.escape

    def marked(self, text: str, strict: bool = False) -> str:
        """`strict`: raise `_Unfinished` for the beginning of a string without its end."""
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
