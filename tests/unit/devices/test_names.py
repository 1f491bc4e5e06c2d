"""Names of devices: what is accepted, and what the error says of the rest."""

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitinspect.devices.catalog import DEVICES
from jitinspect.devices.facts import Tpu
from jitinspect.devices.names import parse_device, shape_text
from jitinspect.errors import UsageError

TPUS = [device for device in DEVICES.values() if isinstance(device, Tpu)]
slices = st.sampled_from([(tpu, shape) for tpu in TPUS for shape in tpu.shapes])


@pytest.mark.parametrize(
    ("text", "topology", "shape", "count", "options"),
    [
        ("v5e", "v5e:1x1", (1, 1), 1, {"chips_per_host_bounds": (1, 1, 1)}),
        ("v5e:4x4", "v5e:4x4", (4, 4), 16, {}),
        ("V5E:2X2", "v5e:2x2", (2, 2), 4, {}),
        ("v2", "v2:1x1", (1, 1), 2, {"chips_per_host_bounds": (1, 1, 1)}),
        ("v4", "v4:1x1x1", (1, 1, 1), 1,
         {"chips_per_host_bounds": (1, 1, 1), "chip_config_name": "megacore"}),
        ("v4:2x2x1", "v4:2x2x1", (2, 2, 1), 4, {"chip_config_name": "megacore"}),
        ("v5p:4x4x12", "v5p:4x4x12", (4, 4, 12), 192, {}),
        ("ironwood:2x2x1", "tpu7x:2x2x1", (2, 2, 1), 8, {}),
        ("TPU v5 lite:2x4", "v5e:2x4", (2, 4), 8, {}),
    ],
)  # fmt: skip
def test_a_tpu(text, topology, shape, count, options):
    target = parse_device(text)
    assert target.platform == "tpu" and target.text == text
    assert (target.topology, target.shape, target.count, target.topology_options) == (
        topology,
        shape,
        count,
        options,
    )


@pytest.mark.parametrize(("text", "count"), [("h100", 1), ("h100:8", 8), ("NVIDIA GB200:72", 72)])
def test_gpus(text, count):
    target = parse_device(text)
    assert (target.platform, target.topology, target.shape, target.count) == ("cuda", "", (count,), count)
    assert target.topology_options["topology"] == f"1x1x{count}"
    assert target.device.kind in target.topology_options["target_config"]


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("v5", "no device is called 'v5'", "did you mean v5p or v5e"),
        ("TPU v5", "no device", "did you mean v5p or v5e"),
        ("h10", "no device", "h100"),
        ("xyzzy", "no device", "`jitinspect doctor` lists all devices"),
        ("", "no device is called ''", "doctor"),
        ("v5e:", "'' in 'v5e:' is not a size", "v5e:2x2"),
        ("v5e:4,4", "is not a size", "v5e:2x2"),
        ("v5e:-1x1", "is not a size", "v5e:2x2"),
        ("v5e:3x3", "no slice 3x3: there are 1x1, 2x2, 2x4, 4x4, 4x8, 8x8, 8x16, 16x16", "v5e:2x4"),
        ("v5e:4x2", "no slice 4x2", "v5e:2x4"),
        ("v5e:16", "no slice 16", "v5e:4x4"),
        ("v5e:0x0", "no slice 0x0", "v5e:1x1"),
        ("v5e:2x2x1", "no slice 2x2x1", "v5e:2x2"),
        ("v5e:16x32", "no slice 16x32", "v5e:16x16"),
        ("v4:8x4x4", "multiples of 4, up to 4096 chips", "v4:4x4x8"),
        ("v4:16x16x20", "no slice 16x16x20", "v4:2x4x4"),
        ("v4:0x0x0", "no slice 0x0x0", "v4:1x1x1"),
        ("h100:9", "h100 has no 9: its size is a number of GPUs, 1 to 8", "h100:8"),
        ("h100:0", "has no 0", "h100:8"),
        ("h100:2x2", "has no 2x2", "h100:8"),
    ],
)
def test_what_does_not_exist(text, said, hint):
    with pytest.raises(UsageError) as caught:
        parse_device(text)
    assert said in caught.value.message and hint in caught.value.hint


@given(slices)
def test_each_slice_that_is_listed_is_accepted(one):
    tpu, shape = one
    target = parse_device(f"{tpu.name}:{shape_text(shape)}")
    assert target.shape == shape and target.count % tpu.devices_per_chip == 0


@given(st.text(max_size=12) | st.from_regex(r"\A(v4|v5e|h100):[0-9x]{0,9}\Z"))
def test_any_text_is_read_or_refused(text):
    try:
        assert parse_device(text).text == text
    except UsageError as error:
        assert error.hint


def test_a_target_can_be_sent_to_another_process_and_be_a_key():
    for text in ("v4:2x2x1", "h100:8"):
        target = parse_device(text)
        assert pickle.loads(pickle.dumps(target)) == target == copy.deepcopy(target)
        assert hash(target) == hash(pickle.loads(pickle.dumps(target)))


def test_links_are_used_between_chips():
    assert parse_device("v5e:2x2").links.bandwidth == 200e9
    assert parse_device("h100:8").links.kind == "NVLink"
    assert parse_device("tpu7x").count == 2 and parse_device("tpu7x").links is None
    assert parse_device("tpu7x:2x2x1").links.bandwidth == 300e9
