"""`jitinspect diff`: two of anything, at any stage, and reports kept as golden ones."""

import json

import pytest

from jitinspect.render.json import to_json
from tests.e2e.test_readings import SAMPLES
from tests.support.timed_reports import profiled

LOSS = ("samples.mlp:loss_fn", "-s", "128,784", "-s", "784,256")
SMALL = ("samples.mlp:loss_fn", "-s", "8,8", "-s", "8,8")
ALL = ("--stage", "jaxpr,stablehlo,hlo")


@pytest.mark.parametrize("sample", SAMPLES)
def test_nothing_differs_from_itself(shell, sample):
    ref, *options = SAMPLES[sample]
    finished = shell("diff", ref, ref, *options, *ALL, "--exit-code", "-q")
    assert (finished.returncode, finished.stderr) == (0, "")
    assert finished.stdout.startswith("same: jaxpr, stablehlo, hlo of ")


PAIRS = {
    "shapes": (*LOSS, "--vs", "-s 64,784 -s 784,256"),
    "a sweep": ("samples.mlp:loss_fn", "-s", "B,784", "-s", "784,256", "--dim", "B=64,128"),
    "dtypes": (*LOSS, "--vs", "--dtype bf16"),
    "a static value": (*SAMPLES["predict"], "--vs", "-s 8,16 -s 16,4 -a training=False"),
    "transforms": (*SMALL, "--vs", "--transform grad"),
    "functions": ("samples.mlp:normalize", "samples.mlp:loss_fn", "-s", "8,8", "-s", "8,8"),
    "a function": ("samples.mlp:normalize", "-s", "8,8", "--vs", "samples.mlp:layer -s 8,8 -s 8,8 -s 8"),
}


@pytest.mark.parametrize("pair", PAIRS)
def test_what_differs_is_told_in_a_few_lines_and_then_line_by_line(shell, pair):
    if pair == "functions":  # which do not take the same arguments
        assert shell("diff", *PAIRS[pair]).returncode == 2
        return
    finished = shell("diff", *PAIRS[pair], *ALL, "-q", "--exit-code", COLUMNS="100")
    assert finished.returncode == 1 and "differ" in finished.stderr
    rows = finished.stdout.splitlines()
    assert rows[0].startswith("- ") and rows[1].startswith("+ ")
    for stage in ("jaxpr  ", "stablehlo  ", "hlo  "):
        assert any(row.startswith(stage) for row in rows)
    assert any(row.startswith("@@ main") for row in rows)
    assert shell("diff", *PAIRS[pair], "-q").returncode == 0


def test_the_json_is_that_of_the_contract(shell):
    document = json.loads(shell("diff", *PAIRS["shapes"], "--json").stdout)
    found = document["diff"]
    assert (document["schema"], document["command"], found["same"]) == (1, "diff", False)
    assert found["summary"]["flops"]["before"] == 2 * found["summary"]["flops"]["after"]
    assert found["summary"]["peak_bytes"]["before"] > found["summary"]["peak_bytes"]["after"]
    assert {"before": "128", "after": "64"}.items() <= found["summary"]["substitutions"][0].items()
    assert found["changes"][0].keys() == {"block", "lines"}
    assert [stage["stage"] for stage in document["stages"]] == ["hlo"]


def test_platforms_reports_and_texts_are_compared(shell):
    finished = shell("diff", *SMALL, "--vs", "--platform tpu", "-q")
    assert finished.stdout.startswith("same: stablehlo of ") and "for tpu" in finished.stdout
    assert shell("show", *SMALL, "-q", "-o", "a.json").returncode == 0
    assert shell("hlo", *SMALL, "-q", "-o", "a.hlo").returncode == 0
    assert "same: jaxpr, stablehlo, hlo of a.json and a.json" in shell("diff", "a.json", "a.json").stdout
    assert "same: hlo of a.json and a.hlo" in shell("diff", "a.json", "a.hlo").stdout
    assert "same: hlo of a.hlo and loss_fn" in shell("diff", "a.hlo", *SMALL, "-q").stdout
    assert shell("diff", "a.hlo", *LOSS, "-q", "--exit-code").returncode == 1
    shell.write(
        "no_jax.py", "import sys; sys.modules['jax'] = None; from jitinspect.__main__ import main; main()"
    )
    assert shell.sh("python no_jax.py diff a.json a.hlo").returncode == 0
    saved = shell("diff", "a.hlo", *LOSS, "-q", "-o", "diff.json")
    assert saved.returncode == 0
    assert shell("view", "diff.json").stdout == shell("diff", "a.hlo", *LOSS, "-q").stdout


def test_golden_reports_are_made_again_and_renewed(shell):
    assert shell("diff", "--golden", "golden").returncode == 2
    added = shell("diff", "--golden", "golden", *SMALL, "--update", "-q")
    assert added.returncode == 0 and "added" in added.stdout
    shell("diff", "--golden", "golden", "samples.mlp:normalize", "-s", "8,8", "--update", "-q")
    assert shell("diff", "--golden", "golden", "-q").returncode == 0
    source = (shell.folder / "samples" / "mlp.py").read_text()
    shell.write(
        "samples/mlp.py",
        "# moved\n\n" + source.replace("return jnp.mean(jnp.tanh(", "return jnp.mean(jnp.sin("),
    )
    finished = shell("diff", "--golden", "golden", "-q")
    assert finished.returncode == 1 and "1 of 2 differ" in finished.stderr
    assert "tanh" in finished.stdout and "same     samples.mlp-normalize-f32-8-8.json" in finished.stdout
    assert "updated" in shell("diff", "--golden", "golden", "--update", "-q").stdout
    assert shell("diff", "--golden", "golden", "-q").returncode == 0
    (shell.folder / "golden" / "broken.json").write_text("{}")
    assert shell("diff", "--golden", "golden", "-q").returncode == 1


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ((), 2, "nothing to compare"),
        (SMALL, 2, "expected two things to compare, found 1"),
        ((*PAIRS["a sweep"][:-1], "B=64,64"), 2, "expected two things to compare, found 1"),
        ((*SMALL, "--vs", "--foo"), 2, "--vs --foo: No such option"),
        ((*SMALL, "--stage", "ptx", "--vs", "-s 4,8"), 2, "no such stage"),
        (("none.json", *SMALL), 3, "cannot be read"),
        (("none.json", "--vs", "-s 3"), 2, "--vs changes the options of one target"),
    ],
)
def test_what_makes_no_two_sides_is_told(shell, words, code, told):
    finished = shell("diff", *words)
    assert finished.returncode == code and told in finished.stderr and not finished.stdout


def test_saved_reports_on_time_are_compared_without_jax(shell):
    """Two, or folders of them; and never with a report of another kind."""
    for folder, slow in (("before", 0.0), ("after", 0.2)):
        for number in range(3):
            (shell.folder / folder).mkdir(exist_ok=True)
            shell.write(f"{folder}/{number}.json", to_json(profiled(0.1 + number / 1000, slow)))
    without = "import sys; sys.modules['jax'] = None; from jitinspect.__main__ import main; main()"
    shell.write("plain.py", without)
    files = shell.sh("COLUMNS=80 python plain.py diff before/0.json after/0.json --exit-code")
    assert files.returncode == 1 and "slower by 200 ms" in files.stdout and "differ" in files.stderr
    folders = shell.sh("COLUMNS=80 python plain.py diff before after")
    assert folders.returncode == 0 and "of the reports" in folders.stdout, folders.stderr
    same = shell.sh("python plain.py diff before before --exit-code")
    assert same.returncode == 0 and "the same within noise" in same.stdout
    (shell.folder / "empty").mkdir()
    nothing = shell.sh("python plain.py diff before empty")
    assert nothing.returncode == 3 and "folder" in nothing.stderr and "-o before/1.json" in nothing.stderr
