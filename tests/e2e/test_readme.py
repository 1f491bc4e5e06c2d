"""Every command of the README is run, and on the pinned JAX what it prints is compared."""

import doctest
import platform
import re
import shutil

import jax
import pytest

from tests import costs, pictures
from tests.bench import rows as ratios
from tests.e2e.conftest import ROOT, Shell

PINNED = "0.10."
"""The JAX whose texts the README shows."""

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
CACHED = "JAX_COMPILATION_CACHE_DIR=cache JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS=0"
FAILS = ("normalise", "f32[128 784]", "samples.mlp:layer")


def sessions():
    """Pairs of a command and the output that is shown below it; empty where none is."""
    for block in BLOCKS:
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            yield command.split("  #")[0].strip(), shown


LOSS = "samples.mlp:loss_fn --shape 128,784 --shape 784,256 -q"
SESSIONS = list(sessions())
HERE = [(command, shown) for command, shown in SESSIONS if "--target" not in command]


OF_CACHE = [(command, shown) for command, shown in HERE if command.startswith("jitinspect cache")]


@pytest.fixture(scope="module")
def cached(tmp_path_factory):
    """One folder for all commands on a cache, with what the README has put into it."""
    folder = tmp_path_factory.mktemp("cached")
    shutil.copytree(ROOT / "samples", folder / "samples")
    shell = Shell(folder)
    shell.sh(f"{CACHED} python samples/recompiles/last_batch.py")
    shell.sh("mkdir one; cp $(ls cache/jit_loss-*-cache | head -1) one")
    return shell


@pytest.mark.parametrize(("command", "shown"), OF_CACHE, ids=[command for command, _ in OF_CACHE])
def test_a_command_on_the_cache_does_what_the_readme_shows(cached, command, shown):
    if "cache stats" in command:
        cached.sh(f"{CACHED} jitinspect run -q --record rec.jsonl samples/recompiles/last_batch.py")
    finished = cached.typed(command)
    assert finished.returncode == 0, finished.stdout
    check_shown(shown, finished.stdout)


OTHERS = [session for session in HERE if session not in OF_CACHE]


@pytest.mark.parametrize(("command", "shown"), OTHERS, ids=[command for command, _ in OTHERS])
def test_a_command_of_the_readme_does_what_it_shows(shell, command, shown):
    if "view" in command:
        shell.typed("jitinspect jaxpr samples.mlp:normalize --shape 128,784 -o report.json")
    if "summary" in command:
        shell.forked("run", "-q", "--record", "rec.jsonl", "samples/recompiles/last_batch.py")
    if "loss.hlo" in command:
        shell.typed(f"jitinspect hlo --raw {LOSS} -o loss.hlo")
    if "dump/" in command:
        shell("hlo", *LOSS.split(), XLA_FLAGS="--xla_dump_to=dump")
    if command.endswith("loss.jaxexport"):
        shell.typed("jitinspect export samples.mlp:loss_fn -s 8,8 -s 8,8 -o loss.jaxexport")
    if "--against" in command:
        saved = command.partition("--against")[0].replace("784,255", "784,256")
        shell.sh(f"XLA_FLAGS=--xla_cpu_enable_fast_math=true {saved} --save key.json")
    finished = shell.typed(command)
    assert (finished.returncode == 0) != any(word in command for word in FAILS), finished.stdout
    check_shown(shown, finished.stdout)


def check_shown(shown, printed):
    """How long something took, `... ms` in the README, may be seconds on another machine."""
    assert printed
    if jax.__version__.startswith(PINNED) and shown:
        wanted = shown.replace("... ms", "...")
        assert doctest.OutputChecker().check_output(
            wanted, printed, doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        ), printed


@pytest.mark.skipif(
    not jax.__version__.startswith(PINNED) or platform.machine() != "x86_64",
    reason="XLA compiles otherwise for another processor, and in another version",
)
@pytest.mark.parametrize("picture", pictures.PICTURES, ids=lambda picture: picture.name)
def test_a_picture_of_the_readme_is_current(picture):
    assert picture.path.read_text() == pictures.made(picture), "python tests/pictures.py makes it anew"
    assert f"({picture.path.relative_to(ROOT)})" in README


def test_a_picture_needs_nothing_else():
    for picture in pictures.PICTURES:
        drawn = picture.path.read_text()
        assert not re.search(r"url\(|href|@import|@font-face|<script", drawn)
        assert drawn.count("http") == 1, "the name of SVG itself"


def test_the_readme_names_every_command(shell):
    help_text = shell("--help").stdout
    named = {command.split()[1] for command, _ in SESSIONS}
    assert named == {name for name in re.findall(r"^  (\w[\w-]+)  ", help_text, re.MULTILINE)}


def test_the_readme_tells_every_exit_code():
    from jitinspect import errors

    codes = {kind.exit_code for kind in vars(errors).values() if isinstance(kind, type)}
    table = README.partition("| exit code |")[2].partition("\n\n")[0]
    assert set(map(int, re.findall(r"^\| (\d+) \|", table, re.MULTILINE))) == codes | {0}


def cells(row):
    return [cell.strip() for cell in row.strip("|").split("|")]


def test_the_table_of_costs_has_the_form_and_the_rows_that_its_script_writes():
    head, line, *rows = map(cells, costs.shown_in(README).splitlines())
    assert head[:3] == ["what", "compared with", "limit"] and len(head) == len(line) > 3
    assert all(re.fullmatch(r"Python 3\.\d+, jax 0\.\d+", column) for column in head[3:])
    assert len({row[0] for row in rows}) == len(rows)
    places = []
    for what, against, limit, *told in rows:
        (place,) = (at for at, one in enumerate(costs.SHOWN) if one.against == against and one.shows(what))
        places.append(place)
        assert len(told) == len(head) - 3 and {*told} != {"–"}
        for ratio in told:
            number = re.fullmatch(r"(\*\*)?(-?\d+\.\d{3})(?(1)\*\*)|–", ratio)
            assert not number[2] or (float(number[2]) <= float(limit) or bool(number[1]))
    assert places == sorted(places)
    benchmarks = {path.stem for path in (ROOT / "tests" / "bench").glob("*.py")}
    assert {costs.SHOWN[place].benchmark for place in places} == {
        one.benchmark for one in costs.SHOWN if one.benchmark in benchmarks
    }


PRINTED = """
Python 3.13.0, jax 0.12.0.1
== processes
                       jitinspect       bare    ratio   limit
--help                    0.152 s    0.884 s    0.172    0.25   ok
jaxpr, small              0.152 s    0.884 s    1.172    1.10   OVER
== readings
2.6 MB of HLO
                      seconds   ratio   limit
hlo --stats              0.18   0.067    0.04  OVER
diff A B                 1.24   0.234    0.30  ok
== devices.py v5e
fit --dim B=1..4096           4.4 s   0.440 of it, at most 1.0  ok
== programs
10,000 steps, --hits               2.66 s     2.46 s   1.112     1.40 s     1.49 s   0.942    1.15   ok
== cache
listing                                    119 ms      100 ms       1.190        1.50  ok
command                                    519 ms      100 ms       5.190           -  ok
== readings
hlo --stats              0.10   0.031    0.04  ok
"""


def test_costs_are_read_from_what_benchmarks_print(capsys):
    found = {name: list(rows.values()) for name, rows in costs.rows(PRINTED).items() if rows}
    assert found == {
        "processes": [costs.Row("--help", 0.172, 0.25), costs.Row("jaxpr, small", 1.172, 1.1)],
        "readings": [costs.Row("hlo --stats", 0.031, 0.04), costs.Row("diff A B", 0.234, 0.3)],
        "devices": [costs.Row("fit --dim B=1..4096", 0.44, 1.0)],
        "programs": [costs.Row("10,000 steps, --hits", 0.942, 1.15)],
        "cache": [costs.Row("listing", 1.19, 1.5)],
    }
    ratios.head("seconds")
    held = [ratios.row("a row, of now", "1.0 s", ratio=ratio, limit=1.5) for ratio in (1.25, 1.75)]
    assert held == [True, False]
    *_, below, above = capsys.readouterr().out.splitlines()
    assert costs.rows(below)[""] == {"a row, of now": costs.Row("a row, of now", 1.25, 1.5)}
    assert above.endswith("OVER") and costs.rows(above)[""]["a row, of now"].ratio == 1.75


def test_the_table_of_costs_tells_what_is_over_and_what_is_missing():
    table = costs.table({costs.environment(PRINTED, "?"): PRINTED, "elsewhere": "== readings\n"})
    assert "| what | compared with | limit | Python 3.13, jax 0.12 | elsewhere |\n" in table
    assert "| `jaxpr, small` function | a script that prints the same text | 1.1 | **1.172** | – |\n" in table
    assert table.index("| `--help` |") < table.index("| `diff A B` |") < table.index("| `hlo --stats` |")
