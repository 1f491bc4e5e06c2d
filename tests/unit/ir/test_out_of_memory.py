"""What the compilers said of programs that do not fit."""

import pytest

from jitinspect.ir.out_of_memory import Overflow, parse
from tests.support import dumps

GIB = 2**30


@pytest.mark.parametrize("version", dumps.VERSIONS)
def test_before_machine_code(version):
    found = parse(dumps.recorded(f"layers-refused-v5e-{version}").refused)
    assert (found.memory, found.limit) == ("HBM", round(15.75 * GIB)) and found.needed > found.limit


@pytest.mark.parametrize("version", dumps.VERSIONS)
def test_with_machine_code(version):
    found = parse(dumps.recorded(f"late-v5e-{version}").refused)
    assert found == Overflow("HBM", round(15.75 * GIB), round(15.75 * GIB)), (
        "it differs by less than it shows"
    )


def test_another_memory():
    text = "Ran out of memory in memory space vmem. Used 133.00M of 128.00M vmem. Exceeded vmem capacity."
    assert parse(text) == Overflow("VMEM", 133 * 2**20, 128 * 2**20)


@pytest.mark.parametrize("text", ["", "INTERNAL: Mosaic failed", "Ran out of memory"])
def test_other_failures(text):
    assert parse(text) is None
