"""A command that watches the files of a folder, and what it prints after each save."""

import contextlib
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading
import time

from tests.support.working import PATIENCE

_SGR = re.compile(r"\x1b\[[0-9;]*[mK]")


class Saving:
    """`jitinspect … --watch`, on pipes or on a terminal, in the folder of a shell; without the option, if the
    command watches anyway.
    """

    def __init__(self, shell, *arguments, on_terminal=False, watches=False):
        self.folder = shell.folder
        self.out = []
        self.err = self.out if on_terminal else []
        leader, follower = pty.openpty() if on_terminal else (None, None)
        if follower is not None:
            fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self._process = subprocess.Popen(
            [shell.command, *arguments, *([] if watches else ["--watch"])],
            cwd=shell.folder,
            env=shell.environ,
            stdin=subprocess.DEVNULL if follower is None else follower,
            stdout=subprocess.PIPE if follower is None else follower,
            stderr=subprocess.PIPE if follower is None else follower,
            start_new_session=True,
        )
        streams = [self._process.stdout, self._process.stderr]
        if leader is not None:
            os.close(follower)
            streams = [os.fdopen(leader, "rb", buffering=0)]
        self._threads = [
            threading.Thread(target=self._collect, args=pair, daemon=True)
            for pair in zip(streams, (self.out, self.err), strict=False)
        ]
        for thread in self._threads:
            thread.start()

    def _collect(self, stream, blocks):
        with contextlib.suppress(OSError):  # of a terminal whose other end is closed
            while block := os.read(stream.fileno(), 1 << 16):
                blocks.append(block)
        stream.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def kill(self):
        """End it as nothing else would."""
        self._process.kill()
        self._process.wait()

    def save(self, name, text):
        """As an editor does that writes the file itself."""
        (self.folder / name).write_text(text)

    def rename(self, name, text):
        """As one does that writes beside it."""
        (self.folder / f"{name}~").write_text(text)
        (self.folder / f"{name}~").rename(self.folder / name)

    def until(self, err=(), out=()):
        """What stdout and stderr got since the last call, once each has all of these words, in order."""
        sought = [(self.out, _in_order(out)), (self.err, _in_order(err))]
        self._wait_for(lambda: all(pattern.search(_text(blocks)) for blocks, pattern in sought), (err, out))
        return self.taken()

    def begun(self):
        """The same after the first report."""
        return self.until(["Ctrl-C ends\n"], ["\n"])

    def taken(self):
        found = _text(self.out), _text(self.err)
        self.out.clear()
        self.err.clear()
        return found

    def wait_for_file(self, name):
        self._wait_for((self.folder / name).exists, name)

    def _wait_for(self, condition, what):
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, (what, b"".join(self.out), b"".join(self.err))
            assert self._process.poll() is None, (what, b"".join(self.out), b"".join(self.err))
            time.sleep(0.02)

    def interrupt(self):
        """The exit code after Ctrl-C."""
        os.killpg(self._process.pid, signal.SIGINT)
        return self.ended()

    def ended(self):
        code = self._process.wait(PATIENCE)
        for thread in self._threads:
            thread.join(PATIENCE)
        return code


def _in_order(words):
    return re.compile(".*".join(map(re.escape, words)), re.DOTALL)


def _text(blocks):
    return _SGR.sub("", b"".join(blocks).decode(errors="replace")).replace("\r", "")
