"""`--otlp URL` → where spans are sent; what is wrong with it is told before the program starts."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from urllib.parse import SplitResult, urlsplit

from jitinspect.errors import UnavailableError, UsageError

_PATH = "/v1/traces"
"""Where a receiver of OTLP over HTTP takes spans."""
_EXAMPLE = "--otlp http://localhost:4318"
_NEEDED = ("opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http")


def endpoint_of(text: str) -> str:
    """The URL with a path: a path of the user's own is taken as it is.

    Raises `UsageError` for what is no such URL, `UnavailableError` if OpenTelemetry is not installed.
    """
    url = _split(text)
    for name in _NEEDED:
        if not _is_installed(name):
            raise UnavailableError(f"--otlp needs {name}", hint="pip install 'jitinspect[otlp]'")
    return url._replace(path=_PATH if url.path in ("", "/") else url.path).geturl()


def shown(endpoint: str) -> str:
    """Without a password, or a key in its query."""
    url = urlsplit(endpoint)
    return url._replace(netloc=url.netloc.rpartition("@")[2], query="", fragment="").geturl()


def _split(text: str) -> SplitResult:
    try:
        url = urlsplit(text)
        is_whole = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError as error:
        raise UsageError(f"--otlp {text}: {error}", hint=_EXAMPLE) from None
    if not is_whole or any(map(str.isspace, text)):
        raise UsageError(f"--otlp {text}: this is not the URL of a collector", hint=_EXAMPLE)
    return url


def _is_installed(name: str) -> bool:
    """Without an import: that would leave modules behind, and the program may have some of the same name."""
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True
