"""Small texts that several renderers share."""

import os

import pytest

from jitinspect.render.text import cut_place

INSTALLED = "/home/me/venv/lib/python3.12/site-packages/flax/linen/linear.py:287"


@pytest.mark.parametrize(
    ("place", "width", "shown"),
    [
        (INSTALLED, 80, "flax/linen/linear.py:287"),
        (INSTALLED, 24, "flax/linen/linear.py:287"),
        (INSTALLED, 20, "…linen/linear.py:287"),
        ("/tmp/net.py:1", 9, "…net.py:1"),
        (f"{os.getcwd()}/net.py:1", 40, "net.py:1"),
    ],
)
def test_a_place_begins_at_its_package_and_is_cut_from_the_left(place, width, shown):
    assert cut_place(place, width) == shown and len(shown) <= width
