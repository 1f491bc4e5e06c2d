"""What all errors share."""

import pytest

from jitinspect.errors import first_line


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("  wrong\nand more"), "wrong"),
        (RuntimeError("one line"), "one line"),
        (RuntimeError(""), "RuntimeError"),
        (RuntimeError(" \n"), "RuntimeError"),
    ],
)
def test_an_error_has_a_first_line(error, line):
    assert first_line(error) == line
