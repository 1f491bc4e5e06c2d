"""The installed `trace-cache` as a user meets it: tables, documents, exit codes, bad scripts."""

import json

import pytest

from tests.e2e.conftest import KEEPING
from tests.support.pages import data_of

LOSS = "from samples.mlp import loss_fn\n"
GOOD = "loss_fn(f32[8,4], f32[4,2])\n"
BAD_SHAPES = "loss_fn(f32[8,4], f32[5,2])\n"


def document(finished):
    """What stands on stdout: one document and nothing else."""
    return json.loads(finished.stdout)


@pytest.mark.parametrize("plan", [[], ["--plan"]])
def test_the_seed(shell, plan):
    finished = shell("trace-cache", "samples/seed.calls", "--json", *plan)
    assert finished.returncode == 0, finished.stderr
    told = document(finished)
    assert list(told)[:2] == ["schema", "command"] and told["command"] == "trace-cache"
    sums = {name: told["totals"][name] for name in ("calls", "compilations", "cache_entries", "cache_hits")}
    assert sums == {"calls": 6, "compilations": 4, "cache_entries": 4, "cache_hits": 2}
    statuses = [call["status"] for call in told["calls"]]
    assert statuses == ["COMPILED", "CACHED", "COMPILED", "CACHED", "COMPILED", "COMPILED"]
    assert [call["executable"] for call in told["calls"]] == [1, 1, 2, 1, 3, 4]
    third = told["calls"][2]
    assert third["at"] == "samples/seed.calls:4" and third["definition"] == "samples/mlp.py:19"
    assert third["signature"] == "loss_fn(f32[64,784], f32[784,256])" and third["nearest"] == 0
    (reason,) = third["reasons"]
    assert (reason["kind"], reason["where"]) == ("shape", "x")
    assert (reason["before"], reason["now"]) == ("f32[128,784]", "f32[64,784]")
    assert reason["hint"] and reason["text"]
    assert [one["compilations"] for one in told["functions"]] == [2, 2]
    assert told["environment"]["platform"] == "cpu"
    assert bool(plan) == (not third["seconds"])


def test_a_saved_report_is_printed_again_without_jax(shell):
    first = shell("trace-cache", "samples/seed.calls", "-o", "calls.json")
    again = shell("view", "calls.json")
    assert first.returncode == again.returncode == 0
    assert again.stdout.count("COMPILED") == 4 and "6 calls · 4 compilations" in again.stdout


def test_the_page_tells_every_call_and_its_hints(shell):
    finished = shell("trace-cache", "samples/seed.calls", "-o", "calls.html")
    found = data_of((shell.folder / "calls.html").read_text())
    assert finished.returncode == 0
    statuses = [found["statuses"][status] for status in found["columns"]["status"]]
    assert len(statuses) == 6 and statuses.count("COMPILED") == 4
    assert "x: f32[128,784] → f32[64,784]" in [reason["text"] for reason in found["reasons"]]
    assert any(reason["hint"] for reason in found["reasons"]) and found["totals"][0] == "6 calls"


def test_every_row_fits_a_narrow_terminal(shell):
    finished = shell("trace-cache", "samples/seed.calls", COLUMNS="60")
    rows = finished.stdout.partition("\n\n")[0].splitlines()
    assert max(map(len, rows)) <= 60 and "x: f32[128,784] → f32[64,784]" in finished.stdout


@pytest.mark.parametrize("plan", [[], ["--plan"]])
@pytest.mark.parametrize("json_too", [False, True])
@pytest.mark.parametrize(
    ("text", "code", "message", "hint"),
    [
        (LOSS + GOOD + "loss_fn(f32[8 4], f32[4,2])\n", 2, "bad.calls:3: dimensions are separated by commas",
         "f32[8,4]"),
        (LOSS + GOOD + "lossfn(f32[8,4])\n", 3, "bad.calls:3: lossfn is not imported", "loss_fn"),
        ("from samples.mlp import loss_fm\nfrom samples.mlp import loss_fn\n" + GOOD + "loss_fm(f32[8])\n", 3,
         "bad.calls:4: samples.mlp has no 'loss_fm'", "samples.mlp:loss_fn"),
        (LOSS + GOOD + f"with config(jax_enable_x46=True):\n    {GOOD}", 2, "jax_enable_x46",
         "jax_enable_x64"),
        (LOSS + GOOD + "loss_fn(f32[B,4], f32[4,2])\n", 2, "bad.calls:3: no size for dimension B",
         "--dim B=8"),
        (LOSS + GOOD + "for i in range(3): pass\n", 2, "bad.calls:3", ""),
    ],
)  # fmt: skip
def test_a_bad_line_is_told_and_the_rows_before_it_are_not_lost(
    shell, text, code, message, hint, json_too, plan
):
    shell.write("bad.calls", text)
    finished = shell("trace-cache", "bad.calls", *plan, *(["--json"] if json_too else []))
    assert finished.returncode == code, finished.stderr
    if json_too:
        told = document(finished)
        assert len(told["calls"]) == 1 and told["exit_code"] == code
        assert message in told["error"]["message"] and hint in str(told["error"]["hint"])
    else:
        assert "COMPILED" in finished.stdout
        assert message in finished.stderr and hint in finished.stderr


def test_a_malformed_line_of_a_jsonl_has_its_caret(shell):
    line = '{"fn": "samples.mlp:loss_fn", "args": ["f32[8,4]", "f32[4,2]"]}'
    shell.write("bad.jsonl", f"{line}\n\n{line[:-2]}\n")
    finished = shell("trace-cache", "bad.jsonl", "--plan")
    assert finished.returncode == 2 and "bad.jsonl:3" in finished.stderr and "^" in finished.stderr
    assert finished.stdout.count("COMPILED") == 1


def test_a_call_that_raises_has_its_row_and_the_rest_goes_on(shell):
    shell.write("raises.calls", LOSS + GOOD + BAD_SHAPES + GOOD)
    finished = shell("trace-cache", "raises.calls")
    assert finished.returncode == 4
    assert [line.split()[1] for line in finished.stdout.splitlines()[1:4]] == ["COMPILED", "TRACED", "CACHED"]
    assert "contracting dimensions" in finished.stdout
    assert "samples/mlp.py" in finished.stderr and "jitinspect/" not in finished.stderr
    stopped = shell("trace-cache", "raises.calls", "--stop", "--json")
    assert stopped.returncode == 4
    calls = document(stopped)["calls"]
    assert [call["status"] for call in calls] == ["COMPILED", "TRACED"]
    assert "contracting" in calls[1]["error"] and "samples/mlp.py" in calls[1]["traceback"]


def test_an_empty_script_has_no_calls(shell):
    for name in ("empty.calls", "empty.jsonl", "empty.py"):
        shell.write(name, "")
        finished = shell("trace-cache", name)
        assert finished.returncode == 0 and "0 calls" in finished.stdout, finished.stderr


@pytest.mark.parametrize(
    ("ending", "code", "said"),
    [
        ("", 0, ""),
        ("sys.exit(3)", 3, "sys.exit(3)"),
        ("sys.exit('no more')", 1, "no more"),
        ("raise ValueError('boo')", 1, "ValueError: boo"),
    ],
)
def test_a_program_ends_as_it_does_alone(shell, ending, code, said):
    shell.write(
        "prog.py",
        "import sys, jax, numpy as np\nprint('begin', sys.argv[1:], __name__)\n"
        f"f = jax.jit(lambda x: x + 1)\nf(np.ones(3))\nf(np.ones(3))\n{ending}\nprint('end')\n",
    )
    finished = shell("trace-cache", "prog.py", "--", "--flag", "a")
    bare = shell.sh("python prog.py --flag a")
    assert finished.returncode == bare.returncode == code
    assert finished.stdout.startswith(bare.stdout) and bare.stdout.startswith(
        "begin ['--flag', 'a'] __main__"
    )
    assert "COMPILED" in finished.stdout and "CACHED" in finished.stdout
    assert said in finished.stdout + finished.stderr
    assert "jitinspect/" not in finished.stderr
    alone = shell("trace-cache", "prog.py", "--json", "--", "--flag", "a")
    assert len(document(alone)["calls"]) == 2 and "begin" in alone.stderr and alone.returncode == code


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nothing.calls"], 3, "no such file: nothing.calls"),
        (["samples/mlp.txt"], 2, "is not a call script"),
        (["samples/mlp.py", "--plan"], 2, "--plan needs a call script"),
        (["samples/seed.calls", "--pad", "x.0=pow2"], 2, "need --plan"),
        (["samples/seed.calls", "--plan", "--pad", "x=pow2"], 2, "x.0=pow2"),
        (["samples/seed.calls", "--plan", "--bucket", "x.0=a"], 2, "whole numbers"),
        (["samples/seed.calls", "more"], 2, "takes no arguments"),
        (["bad.py"], 3, "bad.py:1"),
    ],
)
def test_bad_command_lines(shell, arguments, code, message):
    shell.write("bad.py", "def (:\n")
    finished = shell("trace-cache", *arguments)
    assert finished.returncode == code and message in finished.stderr, finished.stderr
    assert "Traceback (most recent call last)" not in finished.stderr or code == 3


def test_the_persistent_cache_is_told_from_a_compilation(shell):
    shell.write(
        "prog.py", "import jax, numpy as np\nf = jax.jit(lambda x: x + 1)\nf(np.ones(3))\nf(np.ones(3))\n"
    )
    first = document(shell("trace-cache", "prog.py", "--json", **KEEPING))
    second = document(shell("trace-cache", "prog.py", "--json", **KEEPING))
    assert [call["status"] for call in first["calls"]] == ["COMPILED", "CACHED"]
    assert [call["status"] for call in second["calls"]] == ["DISK", "CACHED"]
    assert (second["totals"]["compilations"], second["totals"]["disk_hits"]) == (0, 1)
    assert second["totals"]["cache_entries"] == 1


def test_verbose_shows_jax_own_explanation_where_it_says_something_else(shell):
    finished = shell("trace-cache", "samples/recompiles/history.py", "-v")
    assert finished.returncode == 0
    assert (
        "JAX says" in finished.stdout and "hint" in finished.stdout and "nearest  call 0" in finished.stdout
    )
    assert "TRACING CACHE MISS" not in finished.stderr
