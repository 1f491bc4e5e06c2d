"""Commands with `--target`, by the real compilers: these tests need one, and are skipped without."""

import pytest

from jitinspect.devices.names import parse_device
from jitinspect.devices.plugins import find_plugin, why_not


@pytest.fixture
def needs():
    """Skips a test unless this machine has the compiler for a device."""

    def check(name):
        device = parse_device(name).device
        if why := why_not(device, find_plugin(device.platform)):
            pytest.skip(why)

    return check


@pytest.fixture
def tpu(needs):
    needs("v5e")
