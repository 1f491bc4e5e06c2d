"""`collectives` and `sharding` as a user types them: limits, bad input, and programs without either."""

import json

import pytest

from tests.e2e.conftest import UNOPTIMIZED

STEP = (
    "samples.sharded:train_step", "-a", "{'w1': f32[64,256]@P(None,'model'), 'b1': f32[256], "
    "'w2': f32[256,8]@P('model',None), 'b2': f32[8]}", "-s", "f32[128,64]@P('data',None)",
    "-s", "f32[128,8]@P('data',None)", "--mesh", "data=4,model=2",
)  # fmt: skip
KEYS = {
    "kind", "instruction", "file", "line", "axes", "group", "bytes_in", "bytes_out", "wire_bytes", "runs",
    "asked_by",
}  # fmt: skip


@pytest.fixture
def shell(shell):
    shell.environ.update(UNOPTIMIZED)
    return shell


def test_the_document_is_that_of_the_contract(shell):
    document = json.loads(shell("collectives", *STEP, "--json").stdout)
    rows = document["collectives"]
    assert rows and all(set(row) >= KEYS for row in rows)
    assert {(row["kind"], row["asked_by"]) for row in rows} == {("all-reduce", "partitioner")}
    assert sum(row["wire_bytes"] for row in rows) == document["wire_bytes"]
    assert sum(one["wire_bytes"] for one in document["by_line"]) == document["wire_bytes"]
    assert [mesh["names"] for mesh in document["meshes"]] == [["data", "model"]]
    sharding = json.loads(shell("sharding", *STEP, "--json").stdout)["sharding"]
    assert {"path", "global_shape", "spec", "device_shape", "device_bytes", "replicated"} <= set(sharding[0])


def test_a_saved_report_prints_again(shell):
    for command in ("collectives", "sharding"):
        printed = shell(command, *STEP, "-q", "-o", "report.json", COLUMNS="80")
        assert printed.returncode == 0, printed.stderr
        printed = shell(command, *STEP, "-q", COLUMNS="80").stdout
        assert shell("view", "report.json", COLUMNS="80").stdout == printed
        assert max(map(len, printed.splitlines())) <= 80


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (("--exit-code",), "the program has 2 collectives"),
        (("--max-bytes-moved", "1kB"), "each device moves 57.1 kB, and may move 1.00 kB"),
        (("--forbid", "all-gather,all_reduce"), "there are 2 all-reduces at samples/sharded.py:"),
    ],
)
def test_a_limit_that_is_exceeded_fails(shell, limits, said):
    finished = shell("collectives", *STEP, "-q", *limits)
    assert finished.returncode == 1 and finished.stderr.startswith(f"error: {said}")
    assert "each device moves 57.1 kB to others" in finished.stdout


def test_limits_that_are_kept(shell):
    kept = ("--exit-code", "--max-bytes-moved", "60kB", "--forbid", "all-gather")
    assert shell("collectives", *STEP, "-q", *kept).returncode == 0


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (("--max-bytes-moved", "much"), "'much' is no size"),
        (("--forbid", "all-gathers"), "'all-gathers' is no kind of collective\nhint:  all-gather"),
    ],
)
def test_a_bad_limit_is_told_before_anything_is_compiled(shell, bad, said):
    finished = shell("collectives", *STEP, *bad)
    assert finished.returncode == 2 and said in finished.stderr and not finished.stdout


def test_a_program_for_one_device(shell):
    call = ("samples.mlp:normalize", "-s", "8,16", "-q")
    moved = shell("collectives", *call, "--exit-code")
    assert moved.returncode == 0 and "nothing moves between devices" in moved.stdout
    assert json.loads(shell("collectives", *call, "--json").stdout)["collectives"] == []
    assert shell("sharding", *call).returncode == 0


TABLE = """
import jax.numpy as jnp

def row(table, at):
    return table[at]

def taken(table, at):
    return jnp.take(table, at, axis=0)
"""


def test_a_row_by_its_index_moves_the_whole_and_following_the_advice_does_not(shell):
    shell.write("table.py", TABLE)
    call = ("-s", "f32[64,8]@P('d',None)", "-s", "i32[]", "--mesh", "d=8", "--json")
    before, after = (
        json.loads(shell("collectives", f"table.py:{name}", *call).stdout) for name in ("row", "taken")
    )
    assert "jnp.take" in before["collectives"][0]["hint"]
    assert not [one for one in after["collectives"] if one["hint"]]
    assert after["wire_bytes"] < before["wire_bytes"] / 8


UNEVEN = """
import jax
from jax.sharding import NamedSharding, PartitionSpec as P

mesh = jax.make_mesh((8,), ("d",), axis_types=(jax.sharding.AxisType.Auto,))

@jax.jit
def mapped(x):
    return jax.shard_map(lambda rows: rows, mesh=mesh, in_specs=P("d"), out_specs=P("d"))(x)
"""


@pytest.mark.parametrize("command", ["collectives", "sharding"])
def test_what_a_mesh_does_not_split_evenly_is_told_with_sizes_that_fit(shell, command):
    shell.write("uneven.py", UNEVEN)
    finished = shell(command, "uneven.py:mapped", "-s", "63,8", "--mesh", "d=8")
    assert finished.returncode == 4 and not finished.stdout
    said = "shard_map's argument rows of shape (63,8): dimension 0, of size 63, is not split evenly by d=8"
    assert f"error: {said}\nhint:  a multiple of 8: 64\n" in finished.stderr
