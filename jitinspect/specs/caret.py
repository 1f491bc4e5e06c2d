"""The error that points into a text."""

from jitinspect.errors import UsageError

WINDOW = 76
"""Columns of a long text that are shown around the caret."""


def problem(text: str, column: int, message: str, hint: str | None = None) -> UsageError:
    """The error that shows `text` with a caret under `column`.

    Columns are characters, from 0 here and from 1 in the message.
    """
    line, caret = _window("".join(char if char.isprintable() else " " for char in text), column)
    return UsageError(f"{message}, at column {column + 1}", hint=hint, detail=f"  {line}\n  {' ' * caret}^")


def _window(line: str, column: int) -> tuple[str, int]:
    if len(line) <= WINDOW:
        return line, column
    start = max(0, min(column - WINDOW // 2, len(line) - WINDOW))
    end = start + WINDOW
    left, right = "…" if start else "", "…" if end < len(line) else ""
    return left + line[start + len(left) : end - len(right)] + right, column - start
