"""What the pieces of a recording stand for."""

import time

import pytest

from jitinspect.readings.profiling import pieces
from jitinspect.readings.profiling.pieces import PieceRecorder

PAUSE = 0.3


def recorded(monkeypatch, between):
    """Two pieces with something between them."""
    monkeypatch.setattr(pieces, "_TICK", 60.0)  # it ends none by itself
    recorder = PieceRecorder(lambda piece: None)
    recorder.start()
    time.sleep(0.1)
    between(recorder)
    time.sleep(0.1)
    recorder.stop()
    return recorder


def pause(recorder):
    with recorder._lock:
        recorder._end()
        time.sleep(PAUSE)
        recorder._go_on(time.perf_counter())


def test_a_piece_stands_for_all_of_the_pause_after_it(monkeypatch):
    """A busy machine may let the thread that begins the next one wait."""
    recorder = recorded(monkeypatch, pause)
    first, second = recorder.pieces
    assert first.seconds * first.weight == pytest.approx(second.began - first.began, rel=1e-3)
    assert first.weight > 1 and second.weight == 1 and recorder.has_paused


def test_what_a_fork_takes_is_no_pause(monkeypatch):
    def fork(recorder):
        recorder.before_fork()
        time.sleep(PAUSE)
        recorder.after_fork()

    first, _ = recorded(monkeypatch, fork).pieces
    assert first.weight < 1 + PAUSE / first.seconds


def a_profile_of_its_own(recorder):
    recorder._give_way()
    recorder._come_back()


def a_fork(recorder):
    recorder.before_fork()
    recorder.after_fork()


@pytest.mark.parametrize("between", [a_profile_of_its_own, a_fork])
@pytest.mark.parametrize("what", ["stop", "__init__"])
def test_the_program_waits_while_a_piece_ends_and_the_next_one_begins(monkeypatch, between, what):
    """It is no pause then, however long that takes."""
    real = getattr(pieces.Session, what)

    def slow(session, *args):
        time.sleep(PAUSE)
        return real(session, *args)

    monkeypatch.setattr(pieces.Session, what, slow)
    recorder = recorded(monkeypatch, between)
    assert [piece.weight for piece in recorder.pieces] == [1, 1] and not recorder.has_paused
