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


@dataclass(frozen=True, slots=True)
class Grammar:
    """The tokens of one language, as regular expressions.

    `name`: the names of values, in characters that no theme needs to escape.
    `word`: where a piece may be cut without cutting a token or what tells its class;
    characters that it does not match stay plain. `token`: named groups, of which the
    names are token classes; `unfinished` is the beginning of a string, say, of which
    the end is not there. `before`: the class of a name by what ends the text before
    it; "name" where nothing matches.
    """

    name: str
    word: str
    token: str
    before: str = "(?!)"


class _Unfinished(Exception):
    """A name-like text inside a string: the block was split at what is no name."""


class Painter:
    """Colours the blocks of one text; what it has learnt from one serves the next."""

    def __init__(self, grammar: Grammar, theme: Theme) -> None:
        self._theme = theme
        self._split = re.compile(f"({grammar.name})").split
        self._pieces = _Pieces(grammar, theme)
        self._tokens = _Tokens(f"{grammar.token}|((?-x:{grammar.name}))", theme)

    def paint(self, block: str) -> str:
        """The block with colours. Its lines must be whole."""
        if self._theme.reserved and self._theme.reserved in block:
            return self._theme.escape(block)
        self._pieces.forget()
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
    """What stands between two names, coloured: the end of one name's colour to the start of the next one's."""

    def __init__(self, grammar: Grammar, theme: Theme) -> None:
        super().__init__()
        self.words = _Words(grammar, theme)
        self._before = re.compile(rf"(?:{grammar.before})\Z")
        self._theme = theme

    def __missing__(self, piece: str) -> str:
        rendered = self._theme.close + self.words.render(piece) + self._open(piece)
        if len(piece) <= _LONGEST:
            self[piece] = rendered
        return rendered

    def first(self, piece: str) -> str:
        """At the start of a line, with no name before it."""
        return self.words.render(piece) + self._open("\n" + piece)

    def last(self, piece: str) -> str:
        return self._theme.close + self.words.render(piece)

    def forget(self) -> None:
        """Keep the memory bounded, whatever the text."""
        for memo in (self, self.words):
            if len(memo) > _MOST:
                memo.clear()

    def _open(self, piece: str) -> str:
        found = self._before.search(piece)
        return self._theme.opens[(found and found.lastgroup) or "name"]


class _Words(dict[str, str]):
    """Words, coloured: most pieces that are new are put together from words that are not."""

    def __init__(self, grammar: Grammar, theme: Theme) -> None:
        super().__init__()
        self._split = re.compile(f"({grammar.word})").split
        self._tokens = _Tokens(grammar.token, theme)

    def render(self, text: str) -> str:
        return "".join(map(self.__getitem__, self._split(text)))

    def __missing__(self, word: str) -> str:
        rendered = self._tokens.marked(word, strict=True)
        if len(word) <= _LONGEST:
            self[word] = rendered
        return rendered


class _Tokens:
    """The slow and exact part: each token is found and marked up."""

    def __init__(self, token: str, theme: Theme) -> None:
        self._find = re.compile(token, re.VERBOSE).finditer
        self._theme = theme

    def marked(self, text: str, strict: bool = False) -> str:
        """`strict`: raise `_Unfinished` where there is the beginning of a token only."""
        opens, close, escape = self._theme.opens, self._theme.close, self._theme.escape
        marked, end = [], 0
        for token in self._find(text):
            kind = token.lastgroup or "name"
            if strict and kind == "unfinished":
                raise _Unfinished
            shown = escape(token.group())
            marked += escape(text[end : token.start()]), f"{opens[kind]}{shown}{close}" if kind in opens else shown
            end = token.end()
        return "".join(marked) + escape(text[end:])
