"""Errors a user can act on: what, where, and what to type instead.

Each carries its exit code and is caught once, in `jitinspect.cli.main`. Anything
else that escapes is a bug in jitinspect, and is reported as a plain `JitinspectError`.
"""

INTERRUPTED = 130
"""The exit code after Ctrl-C, which is not an error."""


def first_line(error: BaseException) -> str:
    """Of its message; its type, if it has none."""
    return (str(error).strip() or type(error).__name__).split("\n")[0]


class JitinspectError(Exception):
    """The base class of all errors that the user can fix.

    `message` says what is wrong and where; `hint`, if any, says what to type
    instead. `detail` is text shown above both: a caret under a spec, or the
    frames of the user's own traceback.
    """

    kind = "fault"
    exit_code = 70

    def __init__(self, message: str, *, hint: str | None = None, detail: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.detail = detail

    def as_dict(self) -> dict[str, str | int | None]:
        """The error as part of a JSON document."""
        return {
            "kind": self.kind,
            "message": self.message,
            "hint": self.hint,
            "detail": self.detail,
            "exit_code": self.exit_code,
        }


class CheckFailed(JitinspectError):
    """A check that the user asked for failed."""

    kind = "check"
    exit_code = 1


class UsageError(JitinspectError):
    """A bad option, or an argument spec that does not parse or does not fit."""

    kind = "usage"
    exit_code = 2


class LoadError(JitinspectError):
    """The target's module, script or name could not be loaded."""

    kind = "load"
    exit_code = 3


class UserFunctionError(JitinspectError):
    """The user's function raised while being traced, run or called."""

    kind = "user_function"
    exit_code = 4


class CompileError(JitinspectError):
    """Lowering or XLA's compilation failed."""

    kind = "compile"
    exit_code = 5


class UnavailableError(JitinspectError):
    """This JAX version, backend or machine does not support that reading."""

    kind = "unavailable"
    exit_code = 6
