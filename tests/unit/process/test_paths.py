"""Files by the names that readers know."""

import os

import pytest

from jitinspect.process import paths


@pytest.fixture
def cells():
    cells = {"/tmp/kernel_1/42.py": "cell [3]", f"{os.getcwd()}/7.py": "cell [4]"}
    paths.name_cells(cells.get)
    yield
    paths.name_cells(paths.no_cell)


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        ("/tmp/kernel_1/42.py:12", "cell [3]:12"),
        ("/tmp/kernel_1/42.py", "cell [3]"),
        (f"{os.getcwd()}/7.py:1", "cell [4]:1"),
        (f"{os.getcwd()}/train.py:1", "train.py:1"),
        ("/tmp/kernel_1/43.py:12", "/tmp/kernel_1/43.py:12"),
        ("/tmp/kernel_1/42.py:x", "/tmp/kernel_1/42.py:x"),
        (None, None),
    ],
)
def test_a_line_of_a_cell_has_the_name_of_the_cell(cells, place, shown):
    assert paths.relative(place) == shown


def test_what_was_typed_in_is_a_cell(cells):
    assert paths.is_cell("/tmp/kernel_1/42.py") and paths.is_cell("<stdin>")
    assert not paths.is_cell(__file__)
