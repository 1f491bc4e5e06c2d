"""What the SDK logs → the reason that a user is told."""

import pytest

from jitinspect.programs.telemetry.exporter import reason_in

REFUSED = (
    "HTTPConnectionPool(host='127.0.0.1', port=9): Max retries exceeded with url: /v1/traces (Caused by "
    "NewConnectionError(\"HTTPConnection(host='127.0.0.1', port=9): Failed to establish a new connection: "
    '[Errno 111] Connection refused"))'
)
NO_SUCH_HOST = REFUSED.replace("[Errno 111] Connection refused", "[Errno -2] Name or service not known")


@pytest.mark.parametrize(
    ("logged", "reason"),
    [
        ("Failed to export spans batch code: 401, reason: Unauthorized", "401 Unauthorized"),
        (
            f"Transient error {REFUSED} encountered while exporting spans batch, retrying in 0.9s.",
            "Connection refused",
        ),
        (f"Exception while exporting Span batch. {REFUSED}", "Connection refused"),
        (f"Failed to export spans batch code: None, reason: {NO_SUCH_HOST}", "Name or service not known"),
        ("Transient error Service Unavailable encountered while exporting", "Service Unavailable"),
        (
            "Failed: HTTPConnectionPool(host='h', port=1): Read timed out. (read timeout=10)",
            "no answer in time",
        ),
        ("Failed to export spans batch due to timeout, max retries or shutdown.", ""),
        ("Queue full, dropping Span.\nmore", "Queue full, dropping Span."),
    ],
)
def test_the_cause_is_found(logged, reason):
    assert reason_in(logged) == reason
