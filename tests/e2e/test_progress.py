"""The bar of a long `.jsonl`: on a terminal's stderr alone, and gone at the end."""

import json

from tests.e2e.test_manners import run_in_terminal

ERASED = "\x1b[2K"


def write_calls(shell, count, distinct):
    lines = [
        json.dumps({"fn": "samples.mlp:loss_fn", "args": [f"f32[{i + 1},8]", "f32[8,4]"]})
        for i in range(distinct)
    ]
    shell.write("calls.jsonl", "".join(f"{lines[i % distinct]}\n" for i in range(count)))


def test_a_plan_shows_how_far_it_is_and_erases_it(shell):
    write_calls(shell, 1_000_000, 700)
    _, shown = run_in_terminal(shell, ["trace-cache", "--plan", "calls.jsonl", "--no-pager"])
    bar, _, after = shown.rpartition(ERASED)
    assert "━" in bar and "%" in bar and "[progress" not in bar
    assert "1,000,000 calls" in after and "━" not in after and "\x1b[?25h" in bar  # the cursor is back
    _, quiet = run_in_terminal(shell, ["trace-cache", "--plan", "calls.jsonl", "-q", "--no-pager"])
    assert "━" not in quiet and "1,000,000 calls" in quiet
    assert shell("trace-cache", "--plan", "calls.jsonl").stderr == ""


def test_a_run_tells_what_is_compiled_beside_the_bar(shell):
    write_calls(shell, 40, 20)
    _, shown = run_in_terminal(shell, ["trace-cache", "calls.jsonl", "--no-pager", "--color", "never"])
    bar, _, after = shown.rpartition(ERASED)
    assert "compile loss_fn …" in bar and "40 calls" in after and "…\n" not in bar
    assert "━" not in shell("trace-cache", "calls.jsonl").stderr
