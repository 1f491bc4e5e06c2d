"""What `--target` prints, held against what JAX's public API gives for the same function and devices."""

import json
import re

import pytest

BARE = """
import jax, sys
from jax.experimental import topologies
from jax.extend.source_info_util import register_exclusion
from jax.sharding import NamedSharding, PartitionSpec, SingleDeviceSharding
from jitinspect.devices.names import parse_device
register_exclusion("<string>")  # the line that calls JAX is no part of what is compared
target = parse_device({target!r})
found = topologies.get_topology_desc(target.topology, platform=target.platform, **target.topology_options)
{sharding}
from samples.mlp import loss_fn
types = [jax.ShapeDtypeStruct(shape, "float32", sharding=sharding) for shape in ((128, 784), (784, 256))]
sys.stderr.write("<text>" + jax.jit(jax.grad(loss_fn)).lower(*types).compile().as_text() + "</text>")
"""
ONE_DEVICE = "sharding = SingleDeviceSharding(found.devices[0])"
OVER_A_MESH = """
mesh = topologies.make_mesh(found, (2, 2), ("data", "model"))
sharding = NamedSharding(mesh, PartitionSpec("data", None))
"""
CALL = ("samples.mlp:loss_fn", "-t", "grad", "-s", "128,784", "-s", "784,256")
SHARDED = (
    "samples.mlp:loss_fn", "-t", "grad", "--mesh", "data=2,model=2",
    "-a", "f32[128,784]@P('data',None)", "-a", "f32[784,256]@P('data',None)",
)  # fmt: skip


def by_jax(shell, target, sharding, folder):
    from jitinspect.devices.quiet import quiet_environment

    environ = quiet_environment({}, str(folder))
    finished = shell.run([shell.interpreter, "-c", BARE.format(target=target, sharding=sharding)], **environ)
    return finished.stderr.partition("<text>")[2].partition("</text>")[0]


@pytest.mark.parametrize(
    ("target", "call", "sharding"),
    [
        ("v5e", CALL, ONE_DEVICE),
        ("v5e:2x2", SHARDED, OVER_A_MESH),
        ("h100", CALL, ONE_DEVICE),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else "",
)
def test_the_full_text_is_that_of_jax(shell, needs, tmp_path, target, call, sharding):
    needs(target)
    ours = shell("hlo", *call, "--target", target, "--full", "--raw", "-q")
    assert ours.returncode == 0, ours.stderr
    theirs = by_jax(shell, target, sharding, tmp_path)
    assert "ENTRY" in theirs and comparable(ours.stdout, target) == comparable(theirs, target)


def comparable(text, target):
    """The very text for TPUs. XLA for GPUs numbers what it makes otherwise from one compilation to the next,
    and computations that are alike have no fixed order.
    """
    text = text.rstrip("\n")
    return text if target[0] in "vt" else sorted(re.sub(r"[._]\d+", "", line) for line in text.split("\n"))


@pytest.mark.parametrize("target", ["v5e", "h100"])
def test_the_early_text_has_the_same_fusions_in_its_entry(shell, needs, target):
    needs(target)
    early, full = (shell("hlo", *CALL, "--target", target, *more, "-q").stdout for more in ((), ("--full",)))
    assert entry_fusions(early) == entry_fusions(full) != []


def entry_fusions(text):
    entry = text[text.index("\nENTRY") :]
    return re.findall(r"^\s+(?:ROOT )?%(\S+) = \S+ fusion\(", entry, re.MULTILINE)


@pytest.mark.parametrize("target", ["v5e", "h100"])
def test_it_is_said_that_no_device_was_involved(shell, needs, target):
    needs(target)
    finished = shell("hlo", *CALL, "--target", target)
    assert "no device was involved" in finished.stderr and "up to the scheduled HLO" in finished.stderr
    assert shell("source", *CALL, "--target", target, "-o", "report.json").returncode == 0
    report = json.loads((shell.folder / "report.json").read_text())
    (device,) = report["target"]["devices"]
    assert device["name"] == target and device["full"] is False and device["compiler"].split()[1]
    assert "no device was involved" in shell("view", "report.json").stdout


def test_a_page_for_a_device_says_what_it_has_not(shell, tpu):
    finished = shell("explore", *CALL, "--target", "v5e", "--json")
    assert finished.returncode == 0, finished.stderr
    panes = {pane["name"]: pane for pane in json.loads(finished.stdout)["exploration"]["panes"]}
    for name in ("llvm", "asm"):
        assert panes[name]["unavailable"].startswith("kernels are read on the CPU backend only")
    assert any(panes["hlo"]["origins"]) and panes["hlo"]["costs"]
