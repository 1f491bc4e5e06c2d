"""`explore --serve`: who gets the page, and what a save does to it; and `explore -o FILE --watch`."""

import base64
import gzip
import http.client
import json
import re
import time
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from tests.support.saving import Saving
from tests.support.working import PATIENCE

NET = """
import jax.numpy as jnp

def f(x, w):
    return jnp.tanh(x @ w){}
"""
CALL = ("net:f", "-s", "4,8", "-s", "8,2")
NO_BROWSER = {"DISPLAY": "", "WAYLAND_DISPLAY": "", "BROWSER": ""}


@pytest.fixture
def net(shell):
    shell.write("net.py", NET.format(""))
    shell.environ |= NO_BROWSER
    return shell


class Asking:
    """Whoever asks a server for something, and says what they like."""

    def __init__(self, told):
        self.url = re.search(r"^serving (http://127\.0\.0\.1:\d+/\S+/)$", told, re.MULTILINE)[1]
        self.place, self.path = urlsplit(self.url).netloc, urlsplit(self.url).path

    def __call__(self, path=None, method="GET", host=None):
        connection = http.client.HTTPConnection(self.place, timeout=PATIENCE)
        connection.request(method, self.path if path is None else path, headers={"Host": host or self.place})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer, content

    def status(self, **asked):
        """That of an answer which must say nothing more."""
        answer, content = self(**asked)
        assert content == b"" and answer.getheader("Server").strip() == "jitinspect"
        return answer.status

    def version(self):
        return json.loads(self(f"{self.path}version")[1])

    def until(self, condition):
        end = time.monotonic() + PATIENCE
        while not condition(found := self.version()):
            assert time.monotonic() < end, found
            time.sleep(0.05)
        return found

    def text(self, name):
        packed = re.search(rb'id="data">([^<]*)</script>', self()[1])[1]
        panes = json.loads(gzip.decompress(base64.b64decode(packed)))["exploration"]["panes"]
        return next(pane["text"] for pane in panes if pane["name"] == name)


def test_who_knows_the_address_gets_the_page_and_nobody_else_anything(net):
    with Saving(net, "explore", *CALL, "--serve", watches=True) as session:
        told = session.until(["Ctrl-C ends\n"])[1]
        ask = Asking(told)
        assert "no browser can be opened here: open this address in one\n" in told
        answer, page = ask()
        assert answer.status == 200 and page.startswith(b"<!doctype html>") and b"connect-src 'self'" in page
        for name, value in {
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Content-Type": "text/html; charset=utf-8",
        }.items():
            assert answer.getheader(name) == value
        head, nothing = ask(method="HEAD")
        assert (head.status, nothing) == (200, b"") and head.getheader("Content-Length") == str(len(page))
        port = urlsplit(ask.url).port
        assert ask(host=f"localhost:{port}")[1] == page
        for path in (
            "/",
            "/version",
            "/favicon.ico",
            ask.path[:-2],
            f"{ask.path}x",
            f"{ask.path}../",
            "//",
            "*",
        ):
            assert ask.status(path=path) == 404, path
        for host in ("evil.example", f"evil.example:{port}", "127.0.0.1", "localhost", "127.0.0.1:1"):
            assert ask.status(host=host) == 403, host
            assert ask.status(host=host, path=f"{ask.path}version") == 403
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            assert ask.status(method=method) == 501
        assert session.interrupt() == 130
        assert session.taken() == ("", "")
        with pytest.raises(ConnectionRefusedError):
            ask()


def test_a_save_makes_the_next_version_and_an_error_is_waited_out(net):
    with Saving(net, "explore", *CALL, "--serve", watches=True) as session:
        ask = Asking(session.until(["Ctrl-C ends\n"])[1])
        assert ask.version() == {"version": 1, "told": "", "error": None}
        assert "mul" not in ask.text("jaxpr")
        session.save("net.py", NET.format(" * 3"))
        session.until(["net.py saved · explore made again in", "\n"])
        assert re.fullmatch(
            r"net\.py saved · made again in \d+\.\d\d s", ask.until(lambda now: now["version"] == 2)["told"]
        )
        assert "mul" in ask.text("jaxpr") and "tanh(x @ w) * 3" in ask.text("net.py")
        session.save("net.py", NET.format(" +"))
        session.until(["net.py saved · explore failed\n", "SyntaxError: invalid syntax"])
        failed = ask.until(lambda now: now["error"])
        assert failed["version"] == 2 and "SyntaxError: invalid syntax" in failed["error"]
        assert failed["error"].startswith("net.py saved · failed\n\n") and "\033" not in failed["error"]
        assert "mul" in ask.text("jaxpr")
        session.save("net.py", NET.format(" + 1"))
        assert ask.until(lambda now: now["version"] == 3)["error"] is None
        assert "add" in ask.text("jaxpr")
        assert session.interrupt() == 130


def test_an_error_of_the_first_run_is_waited_out_unless_no_save_can_mend_it(net):
    net.write("net.py", NET.format(" +"))
    with Saving(net, "explore", *CALL, "--serve", watches=True) as session:
        assert "serving" not in session.until(["SyntaxError", "Ctrl-C ends\n"])[1]
        session.save("net.py", NET.format(""))
        ask = Asking(session.until(["serving", "\n"])[1])
        assert ask.version()["version"] == 1 and "tanh" in ask.text("jaxpr")
        assert session.interrupt() == 130
    wrong = net("explore", "net:f", "-s", "4,8", "--serve")
    assert wrong.returncode == 2 and "serving" not in wrong.stderr


def test_the_browser_gets_the_address_once(net):
    script = net.folder / "browser"
    script.write_text(f'#!/bin/sh\necho "$1" >> {net.folder}/addresses\n')
    script.chmod(0o755)
    net.environ["BROWSER"] = f"{script} %s"
    with Saving(net, "explore", *CALL, "--serve", watches=True) as session:
        told = session.until(["Ctrl-C ends\n"])[1]
        assert "no browser" not in told
        session.save("net.py", NET.format(" * 3"))
        session.until(["made again in", "\n"])
        assert (net.folder / "addresses").read_text() == Asking(told).url + "\n"


def test_the_server_ends_with_the_command_however_that_ends(net):
    with Saving(net, "explore", *CALL, "--serve", watches=True) as session:
        ask = Asking(session.until(["Ctrl-C ends\n"])[1])
        session.kill()
    end = time.monotonic() + PATIENCE
    with pytest.raises(ConnectionRefusedError):
        while time.monotonic() < end:
            with suppress(ConnectionResetError, http.client.HTTPException):  # it ends while it answers
                ask()


def test_a_page_is_written_anew(net):
    with Saving(net, "explore", *CALL, "-o", "page.html") as session:
        session.until(["wrote page.html\n", "Ctrl-C ends\n"])
        before = (net.folder / "page.html").read_text()
        session.save("net.py", NET.format(" * 3"))
        session.until(["net.py saved · explore made again in", "wrote page.html\n"])
        after = (net.folder / "page.html").read_text()
        assert before != after and "connect-src 'none'" in after
        assert session.interrupt() == 130


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        (["--watch"], "--serve keeps a page in a browser up to date"),
        (["--serve", "-o", "x.html"], "-o FILE --watch, or --serve alone"),
        (["--serve", "--json"], "--json --watch, or --serve alone"),
    ],
)
def test_what_cannot_be_combined(net, options, hint):
    shown = net("explore", *CALL, *options)
    assert shown.returncode == 2
    assert hint in shown.stdout + shown.stderr
