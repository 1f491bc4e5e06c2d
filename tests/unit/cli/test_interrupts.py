"""Ctrl-C where Python's own way to tell of it could be lost."""

import signal
import sys
from importlib import import_module

import pytest

from jitinspect.cli.interrupts import interrupted_afterwards

SWALLOWING = """
import os, signal
try:
    os.kill(os.getpid(), signal.SIGINT)
    {}
except:
    pass
is_whole = True
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "swallows_interrupts.py").write_text(SWALLOWING.format("import there_is_no_such_module"))
    monkeypatch.syspath_prepend(tmp_path)
    yield "swallows_interrupts"
    sys.modules.pop("swallows_interrupts", None)


def test_an_interrupt_that_a_module_would_swallow_is_raised_after_its_import(module):
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), interrupted_afterwards():
        import_module(module)
    assert sys.modules[module].is_whole and signal.getsignal(signal.SIGINT) is before


def test_nothing_is_raised_where_nothing_came():
    with interrupted_afterwards():
        import_module("json")
