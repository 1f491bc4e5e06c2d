"""`--otlp URL`: where spans go, and what is told of a URL that is none."""

from importlib.metadata import PackageNotFoundError

import pytest

from jitinspect.errors import UnavailableError, UsageError
from jitinspect.programs.telemetry import endpoint


@pytest.mark.parametrize(
    ("url", "whole"),
    [
        ("http://localhost:4318", "http://localhost:4318/v1/traces"),
        ("http://localhost:4318/", "http://localhost:4318/v1/traces"),
        ("https://[::1]", "https://[::1]/v1/traces"),
        ("http://host/otlp/v1/traces", "http://host/otlp/v1/traces"),
        ("https://host?key=1", "https://host/v1/traces?key=1"),
    ],
)
def test_a_path_is_added_where_there_is_none(url, whole):
    assert endpoint.endpoint_of(url) == whole


@pytest.mark.parametrize(
    "url",
    [
        "localhost:4318", "localhost", "grpc://localhost:4317", "http://", "http://:4318", "http://host:many",
        "http://host:70000", "http://host:0", "http://[::1", "http://a b", "/v1/traces",
    ],
)  # fmt: skip
def test_what_is_no_url_of_a_collector_is_refused_with_one_that_is(url):
    with pytest.raises(UsageError, match="--otlp") as caught:
        endpoint.endpoint_of(url)
    assert url in caught.value.message and caught.value.hint == "--otlp http://localhost:4318"


@pytest.mark.parametrize("missing", ["opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http"])
def test_without_the_extra_it_is_told_how_to_install_it(monkeypatch, missing):
    def distribution(name):
        if name == missing:
            raise PackageNotFoundError(name)

    monkeypatch.setattr(endpoint, "distribution", distribution)
    with pytest.raises(UnavailableError, match=missing) as caught:
        endpoint.endpoint_of("http://localhost:4318")
    assert caught.value.hint == "pip install 'jitinspect[otlp]'"


def test_what_is_shown_has_no_password_and_no_key():
    assert endpoint.shown("https://me:secret@host:1/v1/traces?key=1#x") == "https://host:1/v1/traces"
