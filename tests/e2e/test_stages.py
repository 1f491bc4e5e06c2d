"""The stage commands against what JAX itself says of the same function and arguments."""

import json

import pytest

from tests.e2e.conftest import UNOPTIMIZED

NORMALIZE = ("samples.mlp:normalize", "--shape", "128,784")
BARE = """
import jax, sys
from jax.extend.source_info_util import register_exclusion
register_exclusion("<string>")  # the line that calls JAX is no part of what is compared
from samples.mlp import normalize
traced = jax.jit(normalize).trace(jax.ShapeDtypeStruct((128, 784), "float32"))
sys.stdout.write({})
"""
TEXTS = {
    ("jaxpr",): "str(traced.jaxpr) + '\\n'",
    ("stablehlo", "--raw"): "traced.lower().as_text()",
    ("stablehlo",): "traced.lower().as_text()",
    ("hlo", "--raw"): "traced.lower().compile().as_text()",
    ("hlo", "--before", "--raw"): "traced.lower().as_text('hlo')",
}


@pytest.mark.parametrize("command", TEXTS, ids=" ".join)
def test_text_is_byte_for_byte_that_of_jax(shell, command):
    ours = shell(*command, *NORMALIZE)
    assert ours.returncode == 0, ours.stderr
    theirs = shell.python(BARE.format(TEXTS[command]))
    assert ours.stdout == theirs + ("" if theirs.endswith("\n") else "\n")


def test_hlo_is_free_of_tables_metadata_and_default_layouts(shell):
    text = shell("hlo", *NORMALIZE).stdout
    raw = shell("hlo", "--raw", *NORMALIZE).stdout
    assert "metadata={" in raw and "FileNames" in raw and "{1,0}" in raw
    assert "metadata=" not in text and "FileNames" not in text and "f32[128,784]{" not in text
    assert text.startswith("HloModule jit_normalize") and "ROOT" in text


@pytest.mark.parametrize(
    ("command", "phases"),
    [
        (("jaxpr",), ["trace"]),
        (("stablehlo",), ["trace", "lower"]),
        (("stablehlo", "--platform", "tpu"), ["trace", "lower"]),
        (("hlo", "--before"), ["trace", "lower"]),
        (("hlo",), ["trace", "lower", "compile"]),
        (("show",), ["trace", "lower", "compile"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_a_command_goes_as_far_as_its_stage_and_no_further(shell, command, phases):
    document = json.loads(shell(*command, *NORMALIZE, "--json").stdout)
    told = [event["phase"] for event in document["events"] if not event["internal"]]
    assert told == phases


def test_other_platforms_are_lowered_each_as_a_module_of_its_own(shell):
    finished = shell("stablehlo", *NORMALIZE, "--platform", "tpu,cuda", "--json")
    document = json.loads(finished.stdout)
    assert [artifact["platform"] for artifact in document["artifacts"]] == ["tpu", "cuda"]
    assert all("stablehlo." in artifact["text"] for artifact in document["artifacts"])
    assert all(event["phase"] != "compile" for event in document["events"])


def test_show_has_every_stage_under_its_heading(shell):
    finished = shell("show", *NORMALIZE)
    for stage in ("jaxpr", "stablehlo", "hlo"):
        assert f"== {stage}  normalize(f32[128,784]) ==" in finished.stdout
    for phase in ("trace", "lower", "compile"):
        assert f"\n{phase} " in "\n" + finished.stderr


def test_a_dimension_sweeps(shell):
    finished = shell("jaxpr", "samples.mlp:normalize", "--shape", "B,784", "--dim", "B=1,8", "--json")
    document = json.loads(finished.stdout)
    assert [artifact["dims"] for artifact in document["artifacts"]] == [{"B": 1}, {"B": 8}]
    assert "f32[8,784]" in document["artifacts"][1]["text"]


def test_shape_and_arg_mix_in_the_order_given(shell):
    shell.write("three.py", "def f(a, b, c):\n    return a + b + c\n")
    finished = shell("jaxpr", "three:f", "--arg", "f32[]", "--shape", "2,1", "--arg", "f32[3]", "--json")
    assert json.loads(finished.stdout)["target"]["signature"] == "f(f32[], f32[2,1], f32[3])"


def test_static_and_donated_arguments_of_a_jitted_target_are_its_own(shell):
    finished = shell("jaxpr", "samples.mlp:sgd_step", "--args-from", "samples.mlp:make_args", "--json")
    document = json.loads(finished.stdout)
    assert document["target"]["donated"] == ["params"]
    assert document["target"]["line"] == 39 and document["target"]["file"].endswith("mlp.py")


def test_transforms_apply_left_to_right(shell):
    finished = shell(
        "jaxpr", "samples.mlp:loss_fn", "-s", "8,4", "-s", "4,2", "-t", "grad", "-t", "checkpoint", "--json"
    )
    artifact = json.loads(finished.stdout)["artifacts"][0]
    assert artifact["signature"] == "checkpoint(grad(loss_fn))(f32[8,4], f32[4,2])"
    assert "remat" in artifact["text"] or "checkpoint" in artifact["text"]


def test_named_sharding_over_a_mesh_reaches_stablehlo(shell):
    finished = shell(
        "stablehlo", "samples.mlp:normalize", "--arg", "f32[8,784]@P('data',None)", "--mesh", "data=4"
    )
    assert finished.returncode == 0, finished.stderr
    assert '"data"=4' in finished.stdout and "made 4 CPU devices" in finished.stderr


def test_a_dtype_that_jax_narrows_is_told(shell):
    finished = shell("jaxpr", "samples.mlp:normalize", "--shape", "f64[4,4]")
    assert "asked for f64, traced f32" in finished.stderr and "f32[4,4]" in finished.stdout
    kept = shell("jaxpr", "samples.mlp:normalize", "--shape", "f64[4,4]", JAX_ENABLE_X64="1")
    assert "asked for" not in kept.stderr and "f64[4,4]" in kept.stdout


def test_large_constants_are_elided_unless_raw(shell):
    shell.write(
        "consts.py",
        "import jax.numpy as jnp\nimport numpy as np\nW = np.arange(4096.0, dtype='f')\n"
        "def f(x):\n    return x + jnp.asarray(W)\n",
    )
    finished = shell("stablehlo", "consts:f", "--shape", "4096")
    assert "__elided__" in finished.stdout and "--raw prints" in finished.stderr
    assert "__elided__" not in shell("stablehlo", "consts:f", "--shape", "4096", "--raw").stdout


def test_jaxtyping_annotations_fill_what_is_missing(shell):
    shell.write(
        "typed.py",
        "from jax import Array\nfrom jaxtyping import Float, Int\n"
        'def f(x: Float[Array, "batch 784"], n: Int[Array, ""], scale=2.0):\n    return x * n * scale\n',
    )
    document = json.loads(shell("jaxpr", "typed:f", "--dim", "batch=16", "--json").stdout)
    assert document["target"]["signature"] == "f(f32[16,784], i32[])"
    finished = shell("jaxpr", "typed:f")
    assert finished.returncode == 2 and "--dim batch=8" in finished.stderr


THIRD_PARTY = """
import equinox as eqx, jax, jax.numpy as jnp, optax
from flax import nnx
model = eqx.nn.MLP(4, 2, 8, 1, key=jax.random.key(0))
optimizer = optax.adamw(1e-3)
@eqx.filter_jit
def apply(model, x, scale=2):
    return jax.vmap(model)(x) * scale
def apply_args():
    return model, jnp.ones((3, 4))
net = nnx.Linear(4, 2, rngs=nnx.Rngs(0))
@nnx.jit
def forward(net, x):
    return net(x)
def forward_args():
    return net, jnp.ones((3, 4))
def update_args():
    params = {"w": jnp.ones((4, 2))}
    return params, optimizer.init(params), params
"""


@pytest.mark.parametrize(
    ("target", "arguments", "signature"),
    [
        ("third:apply", ["--args-from", "third:apply_args"], "apply(<MLP>, f32[3,4])"),
        ("third:forward", ["--args-from", "third:forward_args"], "forward(<Linear>, f32[3,4])"),
        ("third:optimizer.update", ["--args-from", "third:update_args"], "optimizer.update("),
        ("optax:softmax_cross_entropy", ["-s", "8,10", "-s", "8,10"], "softmax_cross_entropy(f32[8,10]"),
        ("jax.nn:softmax", ["-s", "3,4"], "softmax(f32[3,4])"),
    ],
)
def test_targets_of_other_packages(shell, target, arguments, signature):
    shell.write("third.py", THIRD_PARTY)
    document = json.loads(shell("hlo", target, *arguments, "--json", **UNOPTIMIZED).stdout)
    assert document["target"]["signature"].startswith(signature)
    own = [event for event in document["events"] if not event["internal"]]
    assert [event["phase"] for event in own] == ["trace", "lower", "compile"]
    assert {event["signature"] for event in own} == {document["target"]["signature"]}
    assert document["artifacts"][0]["text"].startswith("HloModule jit_")
