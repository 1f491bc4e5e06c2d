"""Groups of devices in each form that HLO prints."""

import pytest

from jitinspect.ir.device_groups import groups, pairs


@pytest.mark.parametrize(
    ("text", "devices", "expected"),
    [
        ("{{0,1},{2,3}}", 4, ((0, 1), (2, 3))),
        ("{}", 3, ((0, 1, 2),)),
        ("{{0},{1}}", 2, ((0,), (1,))),
        ("[2,4]<=[8]", 8, ((0, 1, 2, 3), (4, 5, 6, 7))),
        ("[2,4]<=[4,2]T(1,0)", 8, ((0, 2, 4, 6), (1, 3, 5, 7))),
        ("[4,2]<=[2,2,2]T(1,2,0)", 8, ((0, 4), (1, 5), (2, 6), (3, 7))),
        ("mesh['axis_0'=4,'axis_1'=2] {'axis_0'}", 8, ((0, 2, 4, 6), (1, 3, 5, 7))),
        ("mesh['axis_0'=4,'axis_1'=1,'axis_2'=2] {'axis_2'}", 8, ((0, 1), (2, 3), (4, 5), (6, 7))),
        ("mesh['a'=4,'b'=2] {'a':(2)2}", 8, ((0, 2), (1, 3), (4, 6), (5, 7))),
        ("mesh['a'=4,'b'=2] {'a':(1)2}", 8, ((0, 4), (1, 5), (2, 6), (3, 7))),
        ("mesh['a'=8] {'a':(2)2}", 8, ((0, 2), (1, 3), (4, 6), (5, 7))),
        ("mesh['a'=2,'b'=2] {'b','a'}", 4, ((0, 2, 1, 3),)),
        (
            "mesh['axis_0'=2,'axis_1'=1,'axis_2'=4], device_ids=([4,2]T(1,0)) {'axis_0'}",
            8,
            ((0, 1), (2, 3), (4, 5), (6, 7)),
        ),
    ],
)
def test_each_form_of_groups(text, devices, expected):
    attributes = f", channel_id=1, replica_groups={text}, dimensions={{0}}, use_global_device_ids=true"
    assert groups(attributes, devices) == expected


def test_a_form_that_is_not_known_is_not_guessed():
    assert groups(", replica_groups=mesh['a'=2], device_ids=(0 1) {'a'}", 2) is None
    assert groups(", replica_groups=V9, channel_id=1", 2) is None


def test_pairs_of_a_permutation():
    assert pairs(", channel_id=1, source_target_pairs={{0,1},{1,0}}") == ((0, 1), (1, 0))
    assert pairs(", channel_id=1, source_target_pairs={}") == ()
    assert pairs(", replica_groups={{0,1}}") is None
