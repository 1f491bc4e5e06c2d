"""What an exception is, as an error with an exit code."""

from __future__ import annotations

from jitinspect.errors import JitinspectError


def as_known(error: Exception) -> JitinspectError:
    """Itself, if it is one of ours. Anything else is a bug of ours, or a JAX that is too new."""
    if isinstance(error, JitinspectError):
        return error
    import traceback

    from jitinspect.jaxapi.version import too_new

    if (version_error := too_new(error)) is not None:
        return version_error
    message = f"bug in jitinspect: {type(error).__name__}: {error}"
    hint = "please report it with the traceback above"
    return JitinspectError(message, hint=hint, detail=traceback.format_exc())
