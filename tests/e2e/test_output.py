"""The output of `trace-cache` and `key`: folded, as wide as the terminal, and where it may be written."""

import json

import pytest

CALLS = "from samples.mlp import loss_fn, predict\n"
SMALL, OTHER = "loss_fn(f32[8,4], f32[4,2])", "loss_fn(f32[9,4], f32[4,2])"


def rows(finished):
    return finished.stdout.partition("\n\n")[0].splitlines()[1:]


def test_cached_calls_that_are_alike_are_folded(shell):
    shell.write("many.calls", f"{CALLS}{SMALL} * 100000\n{OTHER}\n{SMALL}\n")
    finished = shell("trace-cache", "many.calls", "--plan")
    assert [row.split()[1] for row in rows(finished)] == [
        "COMPILED", "CACHED", "CACHED", "CACHED", "9,996", "COMPILED",
    ]  # fmt: skip
    assert rows(finished)[4].endswith("…  9,996 more calls like it")
    assert "90,001 cached calls without a row" in finished.stdout
    quiet = shell("trace-cache", "many.calls", "--plan", "-q")
    assert [row.split()[1] for row in rows(quiet)] == ["COMPILED", "9,999", "COMPILED"]
    document = json.loads(shell("trace-cache", "many.calls", "--plan", "--json").stdout)
    assert len(document["calls"]) == 10_001


@pytest.mark.parametrize("columns", ["40", "60", "80"])
def test_all_lines_fit_a_narrow_terminal(shell, columns):
    finished = shell("trace-cache", "samples/seed.calls", COLUMNS=columns)
    assert max(map(len, finished.stdout.splitlines())) <= int(columns)
    assert "4 calls" in finished.stdout and "samples/mlp.py:19" in finished.stdout


def test_a_long_call_does_not_widen_the_others(shell):
    static = "x" * 4000
    shell.write("long.calls", f"{CALLS}{SMALL}\nloss_fn(f32[8,4], '{static}')\n{OTHER}\n")
    finished = shell("trace-cache", "long.calls")
    first, long, last = rows(finished)
    assert max(len(first), len(last)) < 400 and static in long
    assert long.split()[1] == "–" and finished.returncode == 4
    assert "2 cache entries · 0 cache hits" in finished.stdout


@pytest.mark.parametrize("plan", [[], ["--plan"]])
def test_an_array_that_a_mesh_does_not_split_is_a_mistake_in_its_line(shell, plan):
    good = "loss_fn(f32[8,4]@P('d'), f32[4,2])"
    shell.write("mesh.calls", f"{CALLS}{good}\n{good.replace('8', '7')}\n")
    finished = shell("trace-cache", "mesh.calls", "--mesh", "d=4", *plan)
    assert finished.returncode == 2 and len(rows(finished)) == 1
    assert "mesh.calls:3: f32[7,4]@P('d'): a dimension of 7 is not split evenly by d=4" in finished.stderr


@pytest.mark.parametrize("where", ["-", "/dev/stdout"])
def test_stdout_is_a_file_to_write_to(shell, where):
    finished = shell("trace-cache", "samples/seed.calls", "--plan", "-o", where)
    assert finished.stdout == shell("trace-cache", "samples/seed.calls", "--plan").stdout
    assert not (shell.folder / "-").exists() and "wrote" not in finished.stderr
    line = f"jitinspect trace-cache samples/seed.calls --plan -o {where} | head -1; echo ${{PIPESTATUS[0]}}"
    assert shell.sh(line).stdout.endswith("reason\n0\n")


KEY = ("key", "samples.mlp:loss_fn", "--shape", "8,4", "--shape", "4,2", "-q")


def test_what_cannot_be_saved_is_told_by_its_own_option(shell):
    page = shell(*KEY, "--save", "key.html")
    assert page.returncode == 2 and "--save key.html: the key is saved as JSON" in page.stderr
    nowhere = shell(*KEY, "--save", "/proc/key.json")
    assert nowhere.returncode == 2 and "error: --save /proc/key.json" in nowhere.stderr
