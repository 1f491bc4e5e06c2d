"""An error as a person reads it: what and where, then what to type instead."""

from __future__ import annotations

from jitinspect.errors import JitinspectError


def error_text(error: JitinspectError, color: bool) -> str:
    """The detail (a caret, the user's frames), the message, the hint: each from its own line on."""
    label, hint = ("\x1b[1;31merror\x1b[0m", "\x1b[36mhint\x1b[0m") if color else ("error", "hint")
    lines = [error.detail.rstrip("\n")] if error.detail else []
    lines.append(f"{label}: {error.message}")
    if error.hint:
        lines.append(f"{hint}:  {error.hint}")
    return "\n".join(lines) + "\n"
