"""`--watch`: a save, and what it changed, whatever the editor does and whatever is in the file."""

import json
import os
import re

import pytest

from tests.e2e.test_readme import README, check_shown
from tests.support.saving import Saving

HELPER = "import jax.numpy as jnp\ndef act(x):\n    return jnp.{}(x)\n"
SHOWN = re.search(r"```text\n\$ jitinspect (.* --watch)\n(.*?)```", README, re.DOTALL)
NET = """
import jax, jax.numpy as jnp
from helper import act

@jax.jit
def f(x, w):
    return act(x @ w){}
"""
CALL = ("net:f", "-s", "4,8", "-s", "8,2")


@pytest.fixture
def net(shell):
    shell.write("helper.py", HELPER.format("tanh"))
    shell.write("net.py", NET.format(""))
    return shell


def test_what_a_save_changes_is_shown(net):
    """In the module, and in one that it imports; by an editor that renames; twice in the same second, with
    the same size.
    """
    with Saving(net, "hlo", *CALL, "-q") as session:
        first, _ = session.until(out=["HloModule", "ENTRY", "\n}"])
        assert "tanh(" in first
        session.save("net.py", NET.format(" * 3"))
        changed, _ = session.until(out=["hlo", "multiply(", "\n"])
        assert "FLOPs" in changed and "multiply +1" in changed and "HloModule" not in changed
        session.save("helper.py", HELPER.format("sinh"))
        assert "tanh -1" in session.until(out=["@@"])[0]
        session.rename("helper.py", HELPER.format("tanh"))
        assert "tanh +1" in session.until(out=["@@"])[0]
        for made in ("sqrt", "tanh", "sinh", "cosh"):
            session.save("helper.py", HELPER.format(made))
        changed, _ = session.until(out=["@@"])
        assert "tanh -1" in changed
        session.save("helper.py", HELPER.format("tanh"))
        assert "tanh +1" in session.until(out=["@@"])[0]
        assert session.interrupt() == 130
        assert session.taken() == ("", "")


def test_the_log_says_what_was_saved(net):
    with Saving(net, "jaxpr", *CALL) as session:
        _, told = session.begun()
        assert "trace " in told and told.endswith("\nwatching net.py and 1 more; Ctrl-C ends\n")
        session.save("helper.py", HELPER.format("sinh"))
        shown, told = session.until(err=["helper.py saved · jaxpr made again in", " s\n"], out=["sinh", "\n"])
        assert "tanh" in shown and "lambda" not in shown and "watching" not in told
        session.save("helper.py", HELPER.format("sinh") + "# and no more\n")
        shown, _ = session.until(err=["helper.py saved · jaxpr made again in", "· no change\n"])
        assert shown == ""


def test_an_error_is_shown_and_waited_out(net):
    """Of the syntax, in the function, a name that is gone, and a file that is gone; then it is mended."""
    broken = {
        NET.format(" +"): "SyntaxError: invalid syntax",
        NET.format(" @ x"): "dot_general requires contracting dimensions",
        NET.format("").replace("def f", "def g"): "error: net has no 'f'",
        NET.format("").replace("helper", "helpers"): "net imports helpers, which was not found",
        "import os\nos.abort()\n": "the process that made it ended with SIGABRT",
    }
    with Saving(net, "jaxpr", *CALL) as session:
        session.begun()
        for text, told in broken.items():
            session.save("net.py", text)
            shown, _ = session.until(err=["net.py saved · jaxpr failed\n", told])
            assert shown == ""
        session.save("net.py", NET.format(""))
        assert session.until(err=["no change\n"])[0] == ""
        (net.folder / "net.py").unlink()
        session.until(err=["net.py removed · jaxpr failed\n", "no module named net"])
        session.save("net.py", NET.format(" + 1"))
        assert "add" in session.until(err=["net.py saved"], out=["+"])[0]
        session.save("net.py", NET.format(" + 1").replace("helper", "helpers"))
        session.until(err=["net imports helpers"])
        session.save("helpers.py", HELPER.format("cosh"))
        assert "cosh" in session.until(err=["helpers.py saved"], out=["+"])[0]
        assert session.interrupt() == 130


SLOW = "import pathlib, time\npathlib.Path({!r}).touch()\ntime.sleep(600)\n"


def test_a_save_does_not_wait_for_what_is_being_made(net):
    """Nor does Ctrl-C."""
    with Saving(net, "jaxpr", *CALL) as session:
        session.begun()
        session.save("net.py", SLOW.format("first"))
        session.wait_for_file("first")
        session.save("net.py", NET.format(" * 3"))
        _, told = session.until(["net.py saved · jaxpr made again"], ["mul", "\n"])
        assert "failed" not in told
        session.save("net.py", SLOW.format("second"))
        session.wait_for_file("second")
        assert session.interrupt() == 130
        assert session.taken() == ("", "")


def test_what_is_wrong_with_the_command_line_ends_it(net):
    for command, code in (
        (["jaxpr", "net:f", "-s", "4,8"], 2),
        (["jaxpr", "nets:f", "-s", "4,8"], 3),
        (["jaxpr", "jax.nn:relu", "-s", "4,8"], 2),
        (["profile", "--trace", "."], 2),
    ):
        ended = net(*command, "--watch")
        assert ended.returncode == code and "error: " in ended.stderr


def test_a_first_run_that_fails_is_waited_out(net):
    net.write("net.py", NET.format(" @ x"))
    with Saving(net, "jaxpr", *CALL) as session:
        session.until(err=["dot_general requires", "Ctrl-C ends\n"])
        session.save("net.py", NET.format(""))
        assert "lambda" in session.until(out=["lambda", "\n"])[0]


def test_json_is_a_document_a_line(net):
    with Saving(net, "cost", *CALL, "--json") as session:
        documents = [json.loads(session.until(out=["}\n"])[0])]
        session.save("net.py", NET.format(" +"))
        documents.append(json.loads(session.until(out=["}\n"])[0]))
        session.save("net.py", NET.format(" * 3"))
        documents.append(json.loads(session.until(out=["}\n"])[0]))
    first, error, last = documents
    assert error["error"]["kind"] == "load" and error["command"] == "cost"
    assert last["cost"]["flops"] > first["cost"]["flops"] and first["environment"]["platform"] == "cpu"


def test_a_file_is_written_anew(net):
    report = net.folder / "report.json"
    with Saving(net, "stablehlo", *CALL, "-o", "report.json") as session:
        session.until(err=["wrote report.json", "watching"])
        before = json.loads(report.read_text())
        session.save("net.py", NET.format(" * 3"))
        shown, _ = session.until(err=["net.py saved", "wrote report.json"])
        assert shown == "" and json.loads(report.read_text())["artifacts"] != before["artifacts"]


@pytest.mark.parametrize(
    ("command", "came"),
    [
        (["source"], "FLOPs 128 → 136 (× 1.06) · bytes"),
        (["cost"], "FLOPs 128 → 136 (× 1.06) · bytes"),
        (["jaxpr", "--stats"], "+"),
        (["key"], "+"),
        (["show"], "multiply +1"),
        (["donation"], ""),
    ],
    ids=lambda words: words[0] if isinstance(words, list) else "",
)
def test_other_commands(net, command, came):
    with Saving(net, *command, *CALL) as session:
        session.begun()
        session.save("net.py", NET.format(" * 3"))
        shown, told = session.until(err=["net.py saved", "made again in", "\n"], out=[came])
        assert ("no change" in told) == (shown == "")


def test_a_file_is_watched_itself(net):
    for shape in ("4,8", "5,8"):
        net("hlo", "net:f", "-s", shape, "-s", "8,2", "--raw", "-o", f"of_{shape}.hlo")
    (net.folder / "made.hlo").write_bytes((net.folder / "of_4,8.hlo").read_bytes())
    with Saving(net, "cost", "made.hlo") as session:
        assert session.begun()[1].endswith("watching made.hlo; Ctrl-C ends\n")
        os.replace(net.folder / "of_5,8.hlo", net.folder / "made.hlo")
        assert "FLOPs" in session.until(err=["made.hlo saved · cost made again"], out=["+"])[0]


def test_on_a_terminal(net):
    """Neither a pager nor a cleared screen; a rule with the time between two runs."""
    net.environ["PAGER"] = "echo PAGED"
    with Saving(net, "hlo", *CALL, on_terminal=True) as session:
        shown, _ = session.until(["HloModule", "ENTRY", "Ctrl-C ends\n"])
        assert "PAGED" not in shown
        session.save("net.py", NET.format(" * 3"))
        session.until(["── net.py saved · hlo made again in", "─", ":", "\n", "multiply +1"])
        assert session.interrupt() == 130
        assert "Traceback" not in session.taken()[0]


def test_it_ends_when_nobody_reads_any_more(net):
    ended = net.sh("jitinspect jaxpr net:f -s 4,8 -s 8,2 --watch | head -1; echo ${PIPESTATUS[0]}")
    assert ended.stdout.splitlines()[1:] == ["0"] and "Traceback" not in ended.stderr


def test_the_readme_shows_what_a_save_shows(shell):
    command, shown = SHOWN.groups()
    mlp = (shell.folder / "samples" / "mlp.py").read_text()
    with Saving(shell, *command.removesuffix("--watch").split()) as session:
        first = session.begun()
        session.save("samples/mlp.py", mlp.replace("w) ** 2", "w) ** 3"))
        again = session.until(["made again"], ["@@", "ROOT", "ROOT", "\n"])
    check_shown(shown, "".join((*first, *reversed(again))))
