"""What is typed to `cache` → what is asked for."""

import pytest

from jitinspect.cli import cache_requests as requests
from jitinspect.errors import UsageError
from jitinspect.files.cache.listing import Filter
from jitinspect.files.cache.pruning import Choice
from jitinspect.jaxapi.keys.cache_settings import CacheSettings


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("5m", 300),
        ("1.5h", 5400),
        ("7d", 604800),
        ("2 days", 172800),
        ("4W", 2419200),
        ("10min", 600),
    ],
)
def test_times(text, seconds):
    assert requests.seconds_of("--older-than", text) == seconds


@pytest.mark.parametrize("text", ["7", "d", "7y", "-7d", "seven days", "7dd"])
def test_what_is_no_time(text):
    with pytest.raises(UsageError, match="is no time") as raised:
        requests.seconds_of("--older-than", text)
    assert raised.value.hint.startswith("--older-than ")


def test_filters_and_choices():
    assert requests.filter_of("jit_*", "1h", "1MB") == Filter("jit_*", 3600, 10**6)
    assert requests.choice_of(("", "", ""), True, False, "2GB") == Choice(Filter(), False, True, 2 * 10**9)
    with pytest.raises(UsageError, match="say which"):
        requests.choice_of(("", "", ""), False, False, "")
    with pytest.raises(UsageError, match="is no size"):
        requests.choice_of(("", "", ""), False, False, "much")


def test_the_folder_is_the_one_named_or_else_jax_s():
    assert requests.folder_of("here", CacheSettings("there")) == "here"
    assert requests.folder_of(None, CacheSettings("there")) == "there"
    with pytest.raises(UsageError) as raised:
        requests.folder_of(None, CacheSettings())
    assert "JAX_COMPILATION_CACHE_DIR" in raised.value.hint
