"""An error as text: what and where, then what to type instead."""

from __future__ import annotations

from jitinspect.errors import JitinspectError


def error_text(error: JitinspectError, color: bool) -> str:
    """The detail (a caret, the user's frames), the message and the hint, each on a new line."""
    label, hint = ("\x1b[1;31merror\x1b[0m", "\x1b[36mhint\x1b[0m") if color else ("error", "hint")
    lines = [error.detail.rstrip("\n")] if error.detail else []
    lines.append(f"{label}: {error.message}")
    if error.hint:
        lines.append(f"{hint}:  {error.hint}")
    return "\n".join(lines) + "\n"


def error_line(error: JitinspectError) -> str:
    """The same in one line, below the user's frames if there are any."""
    return (
        error_text(error, color=True)
        .rstrip("\n")
        .replace("\n\x1b[36mhint\x1b[0m: ", "  \x1b[36mhint\x1b[0m:")
    )
