"""The script that tells whether a change of design changed a result: what it captures, and what differs."""

import subprocess
import sys

import pytest

from tests.e2e.conftest import ROOT


def run(*words):
    command = [sys.executable, str(ROOT / "tests" / "reports.py"), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def captured(tmp_path_factory):
    folder = tmp_path_factory.mktemp("captured")
    told = run("capture", folder, "^calls/|mlp-loss_fn/jaxpr-stats")
    assert told.returncode == 0 and told.stdout.startswith("5 reports in "), told.stderr
    return folder


@pytest.mark.parametrize(
    ("name", "before", "now", "differ"),
    [
        ("calls/trace-cache", '"trace": ', '"trace": 1', 0),
        ("calls/trace-cache", '"compilations": 4', '"compilations": 5', 1),
        ("mlp-loss_fn/jaxpr-stats", '"seconds": ', '"seconds": 1', 0),
        ("mlp-loss_fn/jaxpr-stats", "\n}", "\n }", 1),
        ("calls/plan", "{", "{", 0),
    ],
)
def test_a_byte_that_is_of_no_seconds_is_a_difference(captured, tmp_path, name, before, now, differ):
    for file in captured.rglob("*.json"):
        copied = tmp_path / file.relative_to(captured)
        copied.parent.mkdir(exist_ok=True)
        text = file.read_text()
        assert (name not in str(file)) or before in text
        copied.write_text(text.replace(before, now, 1) if str(file).endswith(f"{name}.json") else text)
    told = run("compare", captured, tmp_path)
    assert told.returncode == differ and f"5 reports compared, {differ} differ" in told.stdout
    assert (f"{name}.json: differs" in told.stdout) == bool(differ)


def test_what_is_in_one_folder_only_is_named(captured, tmp_path):
    told = run("compare", captured, tmp_path)
    assert told.returncode == 1 and f"calls/ls.json: only in {captured}" in told.stdout
    assert run("captures").returncode == 2
