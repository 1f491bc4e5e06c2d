"""`jax.profiler` makes its sessions, and its server, by what is replaced here; and all is put back."""

import socket
from functools import partial

import jax
import jax.numpy as jnp
import pytest
from jax._src.lib import _profiler

from jitinspect.jaxapi.traces.own_profiles import is_serving, told_of_own_profiles


@pytest.fixture
def told():
    return []


@pytest.fixture
def telling(told):
    tell = [partial(told.append, what) for what in ("began", "ended", "serves")]
    with told_of_own_profiles(*tell) as session:
        yield session


def test_a_trace_is_told_and_written(telling, told, tmp_path):
    with jax.profiler.trace(str(tmp_path)):
        assert told == ["began"]
        (jnp.ones(3) + 1).block_until_ready()
    assert told == ["began", "ended"]
    assert list(tmp_path.rglob("*.xplane.pb"))


def test_a_session_of_ours_is_not_told(telling, told):
    telling().stop()
    assert told == []


def test_a_session_that_is_dropped_has_ended(telling, told):
    session = _profiler.ProfilerSession()
    assert isinstance(session, telling) and type(session).__name__ == "ProfilerSession"
    del session
    assert told == ["began", "ended"]


def free_port():
    with socket.socket() as free:
        free.bind(("localhost", 0))
        return free.getsockname()[1]


def test_a_server_is_told_and_seen(telling, told):
    jax.profiler.start_server(free_port())
    try:
        assert told == ["serves"] and is_serving()
    finally:
        jax.profiler.stop_server()
    assert not is_serving()


def test_all_is_put_back():
    before = _profiler.ProfilerSession, _profiler.start_server
    with told_of_own_profiles(*[lambda: None] * 3) as session:
        assert session is before[0] and _profiler.ProfilerSession is not session
    assert (_profiler.ProfilerSession, _profiler.start_server) == before
