"""The format of a file, by its suffix: of reports on where time went."""

import json

import pytest

from jitinspect.cli.options import OutputOptions
from jitinspect.cli.output import emitted
from jitinspect.errors import UsageError
from jitinspect.model.flames import Stack
from tests.support.flames import timed

STACK = Stack(("compile", "fusion.1"), 0.5)


def written(report, path):
    with emitted(OutputOptions(output=path, quiet=True)) as emit:
        emit(report)
    return path.read_text()


def test_one_report_is_written_for_each_of_its_viewers(tmp_path):
    report = timed(STACK)
    profile = json.loads(written(report, tmp_path / "a.speedscope.json"))
    assert "speedscope" in profile["$schema"] and profile["profiles"][0]["weights"] == [0.5]
    document = json.loads(written(report, tmp_path / "a.json"))
    assert document["schema"] == 1 and document["traceEvents"]
    assert 'class="flames"' in written(report, tmp_path / "a.html")


def test_what_has_no_flame_graph_is_told_and_not_written(tmp_path):
    path = tmp_path / "a.speedscope.json"
    with pytest.raises(UsageError, match=r"-o a\.speedscope\.json: constants has no flame graph") as raised:
        written(timed(), path)
    assert raised.value.hint and not list(tmp_path.iterdir())
