"""Workers that wait: started ahead where a command line names a device, and gone when it is."""

import os
from pathlib import Path

import pytest

from jitinspect.cli.ahead import taken, worker_ahead
from jitinspect.devices.waiting import Worker
from tests.support.working import wait_until

ASKED = ["hlo", "mod:fn", "--target", "v5e"]


def is_gone(worker):
    """No process of its group is left, and no file."""
    try:
        os.killpg(worker.child.pid, 0)
    except ProcessLookupError:
        return not Path(worker.folder).exists()
    return False


@pytest.mark.parametrize("words", [["--target", "v5e"], ["--target=v5e"]])
def test_one_waits_for_a_command_with_a_target(words):
    with worker_ahead(["hlo", "mod:fn", *words]):
        worker = taken()
        assert worker.is_waiting() and taken() is None
    assert worker.is_waiting()
    worker.end()
    assert is_gone(worker)


@pytest.mark.parametrize(
    "argv", [[], ["hlo", "mod:fn"], ["run", "train.py", "--target", "v5e"], ["--target", "v5e"]]
)
def test_none_is_started_where_no_device_is_asked_for(argv):
    with worker_ahead(argv):
        assert taken() is None


def test_one_that_was_not_taken_is_ended(monkeypatch):
    started = []
    monkeypatch.setattr(Worker, "started", lambda start=Worker.started: started.append(start()) or started[0])
    with pytest.raises(KeyError), worker_ahead(ASKED):
        raise KeyError
    assert taken() is None and is_gone(started[0])


@pytest.mark.parametrize("is_told", [False, True])
def test_it_ends_with_the_one_that_started_it(is_told):
    """Told which compiler to load, it has forked others."""
    worker = Worker.started()
    if is_told:
        worker.child.send(("tpu", "v5e:2x2", {}, True))
    worker.child.to.close()
    worker.child.wait_for_it()
    wait_until(lambda: is_gone(worker))
