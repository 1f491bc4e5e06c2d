"""An exception's message in one line, and whether a traceback is just being printed."""

import io
import json
import threading
import traceback

import pytest

from jitinspect.process.tracebacks import being_printed, message_of, traceback_in


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("no fours", "no fours"),
        ("first\nsecond", "first"),
        ("The mismatches are:\nArgument 'x' differs", "Argument 'x' differs"),
        ("There are 2 mismatches, including:\n    * at a, one\n    * at b, two", "at a, one; at b, two"),
        ("They differ:\n\n  * here\n\nRevise the function", "here"),
        ("Many:\n1\n2\n3\n4\n5", "1; 2; 3 (+2 more)"),
        ("nothing follows:", "nothing follows:"),
        ("nothing follows:\n\n", "nothing follows:"),
        ("", ""),
    ],
)
def test_a_message_is_told_by_its_point(message, told):
    assert message_of(ValueError(message)) == f"ValueError: {told}"


class Stream(io.StringIO):
    """Asks at each line that is written to it."""

    def __init__(self):
        super().__init__()
        self.told = []

    def write(self, text):
        self.told.append(being_printed())
        return super().write(text)


def test_a_traceback_that_is_being_printed_is_seen(monkeypatch):
    stream = Stream()
    try:
        raise ValueError
    except ValueError:
        traceback.print_exc(file=stream)
    assert all(stream.told) and len(stream.told) > 2
    assert not being_printed()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_so_is_that_of_a_thread(monkeypatch):
    stream = Stream()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setattr("threading.excepthook", threading.__excepthook__)
    thread = threading.Thread(target=lambda: 1 / 0)
    thread.start()
    thread.join()
    assert all(stream.told) and "ZeroDivisionError" in stream.getvalue()


def test_a_traceback_in_a_message_keeps_the_users_frames():
    """As JAX has it in the message where a callback raised."""
    message = (
        "INTERNAL: CpuCallback error calling callback: Traceback (most recent call last):\n"
        '  File "<frozen runpy>", line 198, in _run_module_as_main\n'
        f'  File "{json.__file__}", line 3, in loads\n'
        '  File "/home/me/train.py", line 29, in sample\n'
        "ValueError: no such value\n"
    )
    assert traceback_in(message) == (
        "Traceback (most recent call last):\n"
        '  File "/home/me/train.py", line 29, in sample\n'
        "ValueError: no such value"
    )
    assert traceback_in("RESOURCE_EXHAUSTED: out of memory") is None
