"""Sizes of named dimensions, from the words of the command line."""

import subprocess
import sys

import pytest

from jitinspect.cli.calls import fields_of
from jitinspect.cli.options import TargetOptions
from jitinspect.cli.requests import parsed, searched
from jitinspect.errors import UsageError

RANGE, LIST = "B=1..4096", "T=128,256"


def options(*dims):
    return TargetOptions(target="m:f", dim=list(dims))


def test_a_search_begins_at_the_first_size():
    assert parsed(options(RANGE, LIST), [], may_search=True)["dims"] == {"B": (1,), "T": (128, 256)}
    assert searched([RANGE, LIST]) == {"B": range(1, 4097)}
    assert searched([LIST]) == {}


def test_one_dimension_is_searched_at_a_time():
    with pytest.raises(UsageError) as raised:
        searched([RANGE, "T=8..16"])
    assert "B and T are ranges" in raised.value.message and raised.value.hint == "--dim T=8"


def test_other_commands_take_no_range():
    with pytest.raises(UsageError) as raised:
        parsed(options(RANGE), [])
    assert raised.value.message == "--dim B=1..4096: only fit searches a range"
    assert raised.value.hint == "--dim B=1,8,64 for a sweep"


def test_scripts_take_no_range(tmp_path):
    script = tmp_path / "c.calls"
    script.write_text("")
    with pytest.raises(UsageError, match="only fit searches a range"):
        fields_of(script, (), False, ((), ()), "", [RANGE])


def test_a_range_is_refused_before_jax_is_imported(tmp_path):
    """As a whole process, in which the target does not exist either."""
    words = [sys.executable, "-X", "importtime", "-m", "jitinspect", "hlo", "m:f", "--dim", RANGE]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "only fit searches a range" in done.stderr
    assert not [line for line in done.stderr.splitlines() if line.rstrip().endswith("| jax")]
