"""Reports for several devices as one."""

from dataclasses import replace

import pytest

from jitinspect.devices.catalog import DEVICES
from jitinspect.model import Target
from jitinspect.model.readings import Cost, CostReport, Growth, XlaCost
from jitinspect.readings.cost_model.roofline import roofline
from jitinspect.readings.merged_costs import merged

COST = Cost(1, 0, 1, None, None, {}, XlaCost(), {}, (), (), (), (), signature="f()")
TARGET = Target("t:f", "t", "f", None, None, (), (), "f()")


def report(device, *sizes):
    costs = tuple(
        replace(COST, roofline=roofline([], DEVICES[device], device), dims={"B": size}) for size in sizes
    )
    growth = (Growth("flops", "B", 1.0, 0.0),) if len(costs) > 1 else ()
    return CostReport("cost", TARGET, costs[0], sweep=costs if len(costs) > 1 else (), growth=growth)


def labels(report):
    return [(one.roofline.device, one.dims["B"]) for one in report.sweep]


def test_one_report_for_each_device_is_a_sweep_over_devices():
    found = merged([report("v5e", 8), report("h100", 8)])
    assert labels(found) == [("v5e", 8), ("h100", 8)]
    assert found.cost == found.sweep[0] and found.growth == ()


def test_sweeps_over_sizes_follow_each_other():
    found = merged([report("v5e", 8, 16), report("h100", 8, 16)])
    assert labels(found) == [("v5e", 8), ("v5e", 16), ("h100", 8), ("h100", 16)]
    assert found.growth == ()  # which is for one device


def test_a_single_report_stays_as_it_is():
    one = report("v5e", 8, 16)
    assert merged([one]) is one and one.growth
    with pytest.raises(ValueError, match="no report"):
        merged([])
