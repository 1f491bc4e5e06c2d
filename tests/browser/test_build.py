"""The built scripts in the package are what their sources give; the sources pass their own checks."""

import shutil
import subprocess
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[2] / "pages"


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """With the pinned packages installed, beside the package that they are built into."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm is installed")
    root = tmp_path_factory.mktemp("build")
    shutil.copytree(SOURCES, root / "pages", ignore=shutil.ignore_patterns("node_modules"))
    built = root / "jitinspect" / "render" / "pages"
    shutil.copytree(SOURCES.parent / "jitinspect" / "render" / "pages", built)
    run(root / "pages", npm, "ci", "--silent", "--ignore-scripts")
    return root / "pages"


def run(folder, *command):
    finished = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_types_hold_and_the_bundles_are_current(sources):
    run(sources, "npm", "run", "--silent", "check")


def test_the_pure_parts_do_what_their_tests_say(sources):
    run(sources, "npm", "test", "--silent")


def test_a_change_of_the_sources_is_noticed(sources):
    style = sources / "src" / "shared" / "page.css"
    style.write_text(style.read_text() + "em { color: red }\n")
    with pytest.raises(AssertionError, match=r"explorer\.css is not what the sources give"):
        run(sources, "node", "build.mjs", "--check")
