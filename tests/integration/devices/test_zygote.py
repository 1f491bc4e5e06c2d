"""Processes that are forked to compile: they answer, are killed, and end with the one that started them."""

import signal
import subprocess
import sys

import pytest

PROGRAM = """
import os, sys, time
from jitinspect.devices.lifeline import Parent
from jitinspect.devices.zygote import Zygote

def serve(parent):
    word = parent.receive()
    if word == "abort":
        os.abort()
    while word == "write":
        os.makedirs(f"{folder}/{os.getpid()}/{os.urandom(8).hex()}", exist_ok=True)
        time.sleep(0.0005)
    parent.answer((word, os.getppid()))

folder = sys.argv[1]
reads, writes = os.pipe()
zygote = Zygote(serve, Parent(os.fdopen(reads, "rb"), os.fdopen(writes, "wb")), folder)
"""


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "written"
    made.mkdir()
    return made


@pytest.fixture
def program(folder):
    """Runs one to its end, in a group of processes of its own."""

    def run(rest):
        command = [sys.executable, "-c", PROGRAM + rest, str(folder)]
        return subprocess.run(command, capture_output=True, text=True, timeout=300, start_new_session=True)

    return run


@pytest.fixture
def printed(program):
    return lambda rest: program(rest).stdout.split()


def test_each_answers_and_has_the_same_parent(printed):
    asked = """
import pickle
children = [zygote.start() for _ in range(3)]
for number, child in enumerate(children):
    child.send(number)
answers = [pickle.load(child.answers) for child in children]
print(*(word for word, _ in answers), len({parent for _, parent in answers} | {os.getpid()}))
print(*(child.ending().replace(" ", "_") for child in children))
"""
    assert printed(asked) == ["0", "1", "2", "2", "exit_code_0", "exit_code_0", "exit_code_0"]


@pytest.mark.parametrize(
    ("how", "told"), [("child.send('abort')", "SIGABRT"), ("child.kill_it()", "SIGKILL")]
)
def test_how_one_ended_is_known(printed, how, told):
    assert printed(f"child = zygote.start()\n{how}\nprint(child.ending())\nchild.end()") == [told]


def test_a_folder_that_is_written_to_is_removed_after_all_have_ended(program, folder):
    """The output of a process that still ran would be waited for."""
    writing = """
for child in [zygote.start() for _ in range(3)]:
    child.send("write")
while len(os.listdir(folder)) < 3:
    time.sleep(0.01)
time.sleep(0.2)
zygote.remove_all()
time.sleep(600)
"""
    assert program(writing).returncode == -signal.SIGKILL
    assert not folder.exists()
