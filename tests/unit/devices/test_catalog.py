"""The catalogue of devices: names that do not clash, figures that agree with each other."""

import pytest

from jitinspect.devices import catalog
from jitinspect.devices.facts import GIB, Tpu
from jitinspect.devices.gpus import GPUS
from jitinspect.devices.tpus import TPUS

DTYPES = {"bf16", "f16", "f32", "tf32", "f64", "f8", "i8"}


@pytest.mark.parametrize("device", catalog.DEVICES.values(), ids=catalog.DEVICES)
def test_a_device_is_found_by_each_of_its_names(device):
    names = [device.name, device.name.upper(), f" {device.name} ", *device.aliases]
    kinds = [device.kind] if device.kind != "TPU v5" else []
    assert {catalog.find(name) for name in names + kinds} == {device}


def test_no_name_is_that_of_two_devices():
    names = [
        catalog.plain(name) for device in catalog.DEVICES.values() for name in (device.name, *device.aliases)
    ]
    assert len(names) == len({*names})
    assert len({device.kind for device in catalog.DEVICES.values()}) == len(catalog.DEVICES)


def test_tpu_v5_is_no_name_since_it_could_be_either():
    assert catalog.find("TPU v5") is catalog.find("v5") is None


@pytest.mark.parametrize("device", catalog.DEVICES.values(), ids=catalog.DEVICES)
def test_figures_are_in_the_units_promised(device):
    assert 7 * GIB < device.memory < 300e9
    assert 0.3e12 < device.bandwidth < 9e12
    assert device.peak and {*device.peak} <= DTYPES
    assert all(1e12 < rate < 6e15 for rate in device.peak.values())
    assert device.platform == ("tpu" if isinstance(device, Tpu) else "cuda")


@pytest.mark.parametrize("device", catalog.DEVICES.values(), ids=catalog.DEVICES)
def test_a_link_is_one_way_slower_than_memory_and_says_its_kind_and_source(device):
    assert 30e9 < device.link < device.bandwidth / 2
    assert device.link_kind in (("ICI",) if isinstance(device, Tpu) else ("NVLink", "PCIe"))
    assert "2026" in device.link_source


@pytest.mark.parametrize(
    ("name", "both_ways_in_gb"),
    [("v5e", 400), ("v6e", 800), ("v5p", 1200), ("a100", 600), ("h100", 900), ("h200", 900), ("gb300", 1800)],
)
def test_a_link_is_half_of_what_the_maker_publishes_for_both_directions(name, both_ways_in_gb):
    assert catalog.DEVICES[name].link == both_ways_in_gb * 10**9 // 2


def test_the_two_devices_of_a_chip_share_its_links():
    assert catalog.DEVICES["tpu7x"].link * 2 == catalog.DEVICES["v5p"].link


def test_narrower_dtypes_are_no_slower():
    for device in catalog.DEVICES.values():
        for wide, narrow in (
            ("f64", "f32"),
            ("f32", "tf32"),
            ("tf32", "bf16"),
            ("bf16", "f8"),
            ("bf16", "i8"),
        ):
            if wide in device.peak and narrow in device.peak:
                assert device.peak[wide] <= device.peak[narrow], (device.name, wide, narrow)


@pytest.mark.parametrize("tpu", TPUS, ids=lambda tpu: tpu.name)
def test_a_tpu_program_may_use_less_than_its_memory_and_slices_start_with_one_chip(tpu):
    assert 0.93 * tpu.memory < tpu.usable < tpu.memory
    assert {*tpu.shapes[0]} == {1} and len({len(shape) for shape in tpu.shapes}) == 1
    assert (tpu.most_chips is not None) == (len(tpu.shapes[0]) == 3)


@pytest.mark.parametrize("gpu", GPUS, ids=lambda gpu: gpu.name)
def test_a_gpus_scalar_rate_is_what_its_cores_and_clock_come_to(gpu):
    """Two operations a unit and cycle; A100 PCIe's clock in XLA's file is not its boost clock."""
    if gpu.name != "a100-pcie":
        rate = 2 * gpu.cores * gpu.fpus_per_core * gpu.clock * 1e9
        assert gpu.peak["f32"] == pytest.approx(rate, rel=0.01)
