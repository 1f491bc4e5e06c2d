"""The text in which XLA is told what a GPU is."""

import re

import pytest

from jitinspect.devices.catalog import DEVICES
from jitinspect.devices.gpus import GPUS, target_config


@pytest.mark.parametrize("gpu", GPUS, ids=lambda gpu: gpu.name)
def test_a_target_configuration_says_each_fact_once(gpu):
    fields = re.findall(r"^  (\w+): (.+)$", target_config(gpu), re.MULTILINE)
    facts = dict(fields)
    assert len(facts) == len(fields)
    assert facts["core_count"] == str(gpu.cores) and facts["device_memory_size"] == str(gpu.memory)
    assert facts["shared_memory_per_block"] == "49152"


def test_only_hopper_and_the_blackwells_of_data_centres_have_instructions_of_their_own():
    accelerated = {gpu.name for gpu in GPUS if "ACCELERATED_FEATURES" in target_config(gpu)}
    assert accelerated == {"h100", "h100-pcie", "h200", "b200", "b300", "gb200", "gb300"}
    assert "major: 9 minor: 0 feature_extension: ACC" in target_config(DEVICES["h200"])
