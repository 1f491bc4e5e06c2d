"""A ticker ticks between its start and its end."""

import threading

from jitinspect.cli.ticker import Ticker


def test_it_ticks_until_it_is_stopped():
    ticks, enough = [], threading.Event()

    def tick(seconds):
        ticks.append(seconds)
        if len(ticks) == 3:
            enough.set()

    ticker = Ticker(tick, every=0.001)
    ticker.start()
    assert enough.wait(60)
    ticker.stop()
    told = len(ticks)
    assert ticks == sorted(ticks) and ticks[0] > 0
    assert not enough.wait(0) or len(ticks) == told
    ticker.stop()


def test_it_can_be_started_again_and_leaves_no_thread():
    before = threading.active_count()
    ticker = Ticker(lambda seconds: None, every=60)
    ticker.start()
    ticker.start()
    assert threading.active_count() == before + 1
    ticker.stop()
    assert threading.active_count() == before
