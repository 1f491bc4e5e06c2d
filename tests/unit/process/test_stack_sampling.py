"""Samples of a thread's stack: what they say of the time, and that they leave no trace in the program."""

import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections import Counter

import pytest

from jitinspect.process.stack_sampling import Samples, sampled
from tests.support.measured import one_of_three_runs


def seconds_by_function(samples):
    """Of the innermost function in this file."""
    found = Counter()
    for stack, seconds in samples.stacks():
        names = [site.code.co_name for site in stack if site.code.co_filename == __file__]
        found[names[0] if names else ""] += seconds
    return found


PAUSE = 0.1
"""Seconds: so many that it makes little of a difference if the program is woken late."""
TOOK = Counter()
"""Seconds, as the functions themselves have measured them."""


def long(times=3):
    began = time.perf_counter()
    for _ in range(times):
        time.sleep(PAUSE)
    TOOK["long"] = time.perf_counter() - began


def short():
    began = time.perf_counter()
    time.sleep(PAUSE)
    TOOK["short"] = time.perf_counter() - began


def in_thread(function):
    """What the function returns in another thread."""
    found = []
    thread = threading.Thread(target=lambda: found.append(function()))
    thread.start()
    thread.join()
    return found[0]


def sleeping():
    with sampled() as samples:
        long()
        short()
    return samples


@pytest.mark.parametrize("run, by", [(sleeping, "signal"), (lambda: in_thread(sleeping), "thread")])
@one_of_three_runs
def test_sleeps_have_their_time_and_all_seconds_are_told(run, by):
    samples = run()
    found = seconds_by_function(samples)
    assert samples.by == by
    assert found["long"] == pytest.approx(TOOK["long"], rel=0.15)
    assert found["short"] == pytest.approx(TOOK["short"], rel=0.15)
    told = found.total() + samples.own_seconds + samples.last_seconds
    assert told == pytest.approx(samples.seconds, rel=1e-6)
    assert samples.seconds >= 4 * PAUSE


@one_of_three_runs
def test_a_call_that_runs_no_python_is_charged_to_its_line():
    numbers = list(range(2_000_000))

    def sorts():
        return sorted(numbers, key=int.__neg__)

    with sampled() as samples:
        sorts()
    assert seconds_by_function(samples)["sorts"] > 0.8 * samples.seconds


@one_of_three_runs
def test_lines_of_one_function():
    def lines():
        time.sleep(0.3)  # so long that the other one, woken late, is still the shorter one
        time.sleep(0.02)

    with sampled() as samples:
        lines()
    found = Counter()
    for stack, seconds in samples.stacks():
        for site in stack:
            found[site.line - lines.__code__.co_firstlineno] += seconds if site.code is lines.__code__ else 0
    assert found[1] > 2 * found[2] > 0


@one_of_three_runs
def test_recursion_generators_and_exceptions():
    def deep(depth):
        if depth:
            return deep(depth - 1)
        raise ValueError

    def generated():
        for _ in range(3):
            try:
                deep(500)
            except ValueError:
                time.sleep(0.01)
            yield 1

    with sampled() as samples:
        total = sum(generated())
    assert total == 3
    assert seconds_by_function(samples)["generated"] > 0.02


def test_an_exception_leaves_through_it():
    with pytest.raises(ZeroDivisionError), sampled() as samples:
        short()
        1 / 0  # noqa: B018
    assert samples.seconds > PAUSE


@one_of_three_runs
def test_what_is_noted_of_frames():
    def noted(code):
        return (lambda frame: frame.f_locals["times"]) if code is long.__code__ else None

    with sampled(noted) as samples:
        long(1)
        long(10)
    found = Counter()
    for stack, seconds in samples.stacks():
        found.update({site.note: seconds for site in stack if site.note})
    assert found[10] > found[1] > 0


def test_the_handler_and_the_timer_are_put_back():
    before = signal.getsignal(signal.SIGALRM)
    for _ in range(20):
        with sampled():
            time.sleep(0.002)
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    time.sleep(0.005)


def test_a_program_with_a_handler_of_its_own_is_sampled_by_a_thread():
    came = []
    before = signal.signal(signal.SIGALRM, lambda *_: came.append(1))
    try:
        with sampled() as samples:
            signal.setitimer(signal.ITIMER_REAL, 0.01)
            time.sleep(0.2)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert samples.by == "thread" and samples.count and came == [1]


def test_a_handler_set_meanwhile_stays():
    came = []
    before = signal.getsignal(signal.SIGALRM)
    try:
        with sampled() as samples:
            signal.signal(signal.SIGALRM, own := lambda *_: came.append(1))
            signal.setitimer(signal.ITIMER_REAL, 0.02)
        assert signal.getsignal(signal.SIGALRM) is own
        time.sleep(0.05)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert samples.by == "signal" and came


@one_of_three_runs
def test_one_inside_another():
    with sampled() as outer, sampled() as inner:
        long(10)
    assert (outer.by, inner.by) == ("signal", "thread")
    assert seconds_by_function(inner)["long"] > 0.8 * inner.seconds


def test_samples_of_deep_stacks_are_taken_less_often():
    def shortest_pause(depth):
        if depth:
            return shortest_pause(depth - 1)
        frame = sys._getframe()
        samples = Samples(lambda code: None, "signal")
        return min(samples.take(frame, outside) for _ in range(30))

    outside = sys._getframe()
    assert shortest_pause(900) > 1.5 * shortest_pause(5)


def test_one_sample_that_costs_much_puts_off_no_other():
    def costs_much_once(frame):
        began = time.thread_time()
        while samples.count == 5 and time.thread_time() - began < 0.01:
            pass

    def pause():
        return samples.take(sys._getframe(), outside)

    samples, outside = Samples(lambda code: costs_much_once, "signal"), sys._getframe()
    pauses = [pause() for _ in range(9)]
    assert samples.own_seconds > 0.01 and max(pauses) < 0.1


INTERRUPTED = """
    import signal, threading, time
    from jitinspect.process.stack_sampling import Samples, sampled
    {setup}
    main = threading.get_ident()
    threading.Timer(0.2, lambda: signal.pthread_kill(main, signal.SIGINT)).start()
    try:
        with sampled() as samples:
            time.sleep(600)
    except KeyboardInterrupt:
        print(samples.by, signal.getitimer(signal.ITIMER_REAL))
"""


@pytest.mark.parametrize(
    "setup, by", [("", "signal"), ("signal.signal(signal.SIGALRM, lambda *_: None)", "thread")]
)
def test_ctrl_c_ends_it_at_once(setup, by):
    made = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(INTERRUPTED.format(setup=setup))],
        capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    assert made.stdout.split()[0] == by and made.stderr == ""


SWALLOWING = """
    import time
    from jitinspect.process.stack_sampling import Samples, sampled
    failures = []
    def swallow():
        try:
            time.sleep(0.001)
            sum(range(1000))
        except BaseException as error:
            failures.append(error)
    with sampled() as samples:
        for _ in range(100):
            swallow()
    print(samples.count > 10, failures)
"""


def test_code_that_catches_everything_catches_nothing_of_it():
    made = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SWALLOWING)], capture_output=True, text=True, check=True
    )
    assert made.stdout == "True []\n" and made.stderr == ""
