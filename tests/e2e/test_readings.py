"""The readings and views of every sample, as a user types them; their JSON is that of the contract."""

import json

import pytest

from tests.e2e.conftest import UNOPTIMIZED

SAMPLES = {
    "normalize": ("samples.mlp:normalize", "-s", "128,784"),
    "layer": ("samples.mlp:layer", "-s", "8,16", "-s", "16,4", "-s", "4"),
    "loss_fn": ("samples.mlp:loss_fn", "-s", "128,784", "-s", "784,256"),
    "predict": ("samples.mlp:predict", "-s", "8,16", "-s", "16,4", "-a", "training=True"),
    "forward": ("samples.mlp:forward", "--args-from", "samples.mlp:forward_args"),
    "sgd_step": ("samples.mlp:sgd_step", "--args-from", "samples.mlp:make_args"),
    "activate": ("samples.mlp:activate", "-s", "8", "-a", "'gelu'", "--static", "kind"),
    "dropout": ("samples.mlp:dropout", "-a", "key[]", "-s", "8,8"),
    "attention": ("samples.transformer:rms_norm", "-s", "2,8,256", "-s", "256"),
}
SHAPES = {
    "source": {"lines": [{"file", "line", "text", "equations", "instructions", "fusions", "flops", "bytes"}],
               "without_line": {"equations", "instructions"}},
    "donation": [{"path", "bytes", "donated", "aliased", "why", "could_save"}],
    "constants": [{"shape", "dtype", "bytes", "source"}],
    "cost": {"flops": int, "bytes": int, "peak_bytes": int, "xla": {"flops"}, "by_line": [{"flops"}],
             "by_op": [{"flops"}], "buffers": [{"bytes"}]},
    "sharding": [{"path", "global_shape", "spec", "device_shape", "device_bytes", "replicated"}],
    "passes": [{"index", "pipeline", "pass", "changed", "instructions_before", "instructions_after", "ops"}],
    "compile-time": {
        "wall_seconds": {"trace", "lower", "compile"}, "phases": [{"phase", "seconds", "share"}],
        "passes": [{"pass", "seconds"}], "kernels": [{"kernel", "seconds", "lines"}],
        "by_line": [{"file", "line", "text", "trace_seconds", "compile_seconds"}],
        "advice": [{"text", "line"}],
    },
}  # fmt: skip
"""What the contract says of each; of lists the first member is looked at, if there is one."""
MEASURED = {"compile-time"}
"""What is never the same twice."""


@pytest.fixture
def shell(shell):
    shell.environ.update(UNOPTIMIZED)
    return shell


def has(shape, value):
    if isinstance(shape, type):
        return isinstance(value, shape)
    if isinstance(shape, set):
        return shape <= set(value)
    if isinstance(shape, list):
        return isinstance(value, list) and all(has(shape[0], one) for one in value)
    return all(has(inner, value[name]) for name, inner in shape.items())


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("command", SHAPES)
def test_a_reading_is_one_document_and_a_text(shell, command, sample):
    finished = shell(command, *SAMPLES[sample], "--json")
    assert finished.returncode == 0, finished.stderr
    document = json.loads(finished.stdout)
    assert (document["schema"], document["command"]) == (1, command)
    assert document["target"]["ref"] == SAMPLES[sample][0] and document["environment"]["platform"] == "cpu"
    assert document["target"]["signature"].startswith(SAMPLES[sample][0].partition(":")[2])
    found = document[command.replace("-", "_")]
    assert has(SHAPES[command], found), found
    assert [event["phase"] for event in document["events"] if not event["internal"]][:1] == ["trace"]


@pytest.mark.parametrize("command", SHAPES)
def test_a_saved_reading_prints_again_without_jax(shell, command):
    assert shell(command, *SAMPLES["sgd_step"], "-q", "-o", "report.json").returncode == 0
    again = ("view", "report.json") if command in MEASURED else (command, *SAMPLES["sgd_step"], "-q")
    printed = shell(*again, COLUMNS="80")
    assert printed.returncode == 0 and not printed.stderr and printed.stdout
    without = "import sys; sys.modules['jax'] = None; from jitinspect.__main__ import main; main()"
    shell.write("view.py", without)
    viewed = shell.sh("COLUMNS=80 python view.py view report.json")
    assert (viewed.returncode, viewed.stdout) == (0, printed.stdout), viewed.stderr
    assert shell(command, *SAMPLES["loss_fn"], "-o", "page.html").returncode == 0
    assert "</html>" in (shell.folder / "page.html").read_text()


VIEWS = {
    "stats": ("--stats",), "outline": ("--outline",), "fold": ("--fold",), "source": ("--source",),
    "op": ("--op", "dot|mul|add|max", "-C", "1"),
}  # fmt: skip


@pytest.mark.parametrize("sample", ["normalize", "sgd_step", "dropout"])
@pytest.mark.parametrize("stage", ["jaxpr", "stablehlo", "hlo"])
def test_every_view_is_there(shell, stage, sample):
    for view in VIEWS.values():
        finished = shell(stage, *SAMPLES[sample], *view, "-q")
        assert (finished.returncode, finished.stderr) == (0, ""), (view, finished.stderr)
        assert finished.stdout.strip()
    document = json.loads(shell(stage, *SAMPLES[sample], "--stats", "--json").stdout)
    stats = document["artifacts"][0]["stats"]
    assert stats["operations"] == sum(one["count"] for one in stats["ops"])
    document = json.loads(shell(stage, *SAMPLES[sample], "--outline", "--json").stdout)
    assert document["artifacts"][0]["outline"]["operations"]


@pytest.mark.parametrize("columns", [80, 160])
@pytest.mark.parametrize("command", SHAPES)
def test_nothing_is_wider_than_the_terminal_nor_coloured_without_one(shell, command, columns):
    for sample in ("sgd_step", "dropout"):
        told = shell(command, *SAMPLES[sample], "-q", COLUMNS=str(columns)).stdout
        assert max(map(len, told.splitlines())) <= columns
        assert "\x1b" not in told


def test_options_that_do_not_go_together_are_told(shell):
    for options in (["--stats", "--outline"], ["-C", "1"], ["--raw", "--fold"], ["--stats", "--op", "dot"]):
        finished = shell("hlo", *SAMPLES["normalize"], *options)
        assert finished.returncode == 2 and "hint:" in finished.stderr and not finished.stdout
