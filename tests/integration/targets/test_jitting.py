"""What a loaded target is jitted into: exactly what JAX itself would make of it."""

import inspect

import jax
import pytest

from jitinspect.errors import UnavailableError, UsageError
from jitinspect.targets.jitting import jitted
from jitinspect.targets.loading import load
from jitinspect.targets.parameters import brief_signature, signature_text
from jitinspect.targets.transforms import TRANSFORMS, check_transforms

X = jax.ShapeDtypeStruct((3,), "float32")


# jits, and what is none


@pytest.mark.parametrize(
    ("qualname", "kind", "args"),
    [
        ("step", "jax.jit", (X,)),
        ("powered", "jax.jit", (X, 2)),
        ("bound", "jax.jit", (X,)),
        ("over", "jax.jit", (X,)),
        ("model.step", "jax.jit", (X,)),
        ("stepper.fast", "equinox.filter_jit", (X,)),
        ("linear.fast", "flax.nnx.jit", (X,)),
    ],
)
def test_an_existing_jit_is_used_as_it_is(funcs, qualname, kind, args):
    loaded = load(f"funcs:{qualname}")
    subject = jitted(loaded)
    assert subject.call is loaded.object
    assert subject.kind == kind
    assert "name=" not in str(subject.trace(*args).jaxpr), "jitted twice: a jit within the jaxpr"


def test_the_options_of_a_jit(funcs):
    subject = jitted(load("funcs:powered"))
    assert (subject.static, subject.donated) == (("n",), ("x",))
    assert signature_text(subject.signature) == "(x, n)"
    assert subject.function is subject.call.__wrapped__


@pytest.mark.parametrize("qualname", ["plain", "Model.static", "model.plain", "wrapped", "linear"])
def test_what_is_not_jitted_becomes_what_jax_makes_of_it(funcs, qualname):
    loaded = load(f"funcs:{qualname}")
    ours, theirs = jitted(loaded).trace(X), jax.jit(loaded.object).trace(X)
    assert str(ours.jaxpr) == str(theirs.jaxpr)
    assert ours.lower().as_text() == theirs.lower().as_text()


def test_a_wrapper_around_a_jit_is_jitted(funcs):
    assert "jit[name=wrapped" in str(jitted(load("funcs:wrapped")).trace(X).jaxpr).replace("\n", "").replace(
        " ", ""
    )


@pytest.mark.parametrize(("qualname", "name"), [("stepper", "Stepper"), ("stepper.twice", "twice")])
def test_an_unhashable_callable_keeps_its_name(funcs, qualname, name):
    subject = jitted(load(f"funcs:{qualname}"))
    assert f"@jit_{name}" in subject.trace(X).lower().as_text()
    assert signature_text(subject.signature) == "(x)"
    assert subject.trace(x=X).jaxpr.jaxpr.debug_info.arg_names == ("x",)


@pytest.mark.parametrize("static", [("flag", "n"), (1, "flag"), (-1, "flag"), ("1", "flag")], ids=str)
def test_static_by_name_and_by_position(funcs, static):
    subject = jitted(load("funcs:plain"), static=static)
    assert set(subject.static) == {"n", "flag"}
    expected = jax.jit(subject.function, static_argnames=("n", "flag")).trace(X, 5, flag=True)
    assert str(subject.trace(X, 5, flag=True).jaxpr) == str(expected.jaxpr)
    assert str(subject.trace(X, n=5, flag=True).jaxpr) == str(expected.jaxpr)


def test_donate_by_name_and_by_position(funcs):
    for donate in ("x", 0, -2):
        subject = jitted(load("funcs:plain"), donate=[donate])
        assert subject.donated == ("x",)
        assert subject.trace(X, X).donate_argnums == (0,)


def test_positions_without_a_name(funcs):
    subject = jitted(load("funcs:by_position"), static=[1, 3, "mode"])
    assert subject.static == (1, 3, "mode")
    traced = subject.trace(X, 2, X, "text", mode="text")
    assert len(traced.jaxpr.in_avals) == 2


@pytest.mark.parametrize(
    ("options", "message", "hint"),
    [
        (
            {"static": ["flg"]},
            "--static flg: funcs:plain has no such parameter",
            "did you mean --static flag?",
        ),
        ({"donate": ["weights"]}, "no such parameter", "its parameters: x, n, flag"),
        (
            {"static": [2]},
            "--static 2: funcs:plain has 2 positional parameters",
            "its parameters: x, n, flag",
        ),
        ({"donate": [-3]}, "has 2 positional parameters", "its parameters: x, n, flag"),
        ({"static": ["x"], "donate": [0]}, "x is both static and donated", None),
        ({"transforms": ["gard"]}, "--transform gard: no such transform", ", ".join(TRANSFORMS)),
    ],
)
def test_options_that_do_not_fit(funcs, options, message, hint):
    with pytest.raises(UsageError) as caught:
        jitted(load("funcs:plain"), **options)
    assert message in caught.value.message
    assert hint is None or hint in caught.value.hint


@pytest.mark.parametrize(
    ("qualname", "kind"),
    [("powered", "jax.jit"), ("stepper.fast", "equinox"), ("linear.fast", "flax.nnx.jit")],
)
@pytest.mark.parametrize("option", ["static", "donate"])
def test_a_jits_own_options_apply(funcs, qualname, kind, option):
    with pytest.raises(
        UsageError, match=f"--{option} x.*already a {kind}.*whose own options apply"
    ) as caught:
        jitted(load(f"funcs:{qualname}"), **{option: ["x"]})
    assert f"funcs:{qualname}.__wrapped__" in caught.value.hint


def test_the_hint_for_another_jit_works(funcs):
    subject = jitted(load("funcs:powered.__wrapped__"), static=["n"])
    assert subject.donated == ()
    assert "integer_pow[y=2]" in str(subject.trace(X, 2).jaxpr)


def test_pmap_is_refused(funcs):
    with pytest.raises(UnavailableError, match=r"pmapped is a jax\.pmap"):
        jitted(load("funcs:pmapped"))


# transforms


@pytest.mark.parametrize("name", TRANSFORMS)
def test_a_transform_is_what_jax_makes_of_it(funcs, name):
    loaded = load("funcs:plain")
    subject = jitted(loaded, transforms=[name])
    expected = jax.jit(getattr(jax, name)(loaded.object)).trace(X)
    assert str(subject.trace(X).jaxpr) == str(expected.jaxpr)
    assert subject.trace(X).lower().as_text() == expected.lower().as_text()
    assert subject.name == f"{name}(plain)"


def test_transforms_apply_from_left_to_right(funcs):
    loaded = load("funcs:plain")
    subject = jitted(loaded, transforms=["grad", "vmap"])
    batch = jax.ShapeDtypeStruct((5, 3), "float32")
    assert str(subject.trace(batch).jaxpr) == str(
        jax.jit(jax.vmap(jax.grad(loaded.object))).trace(batch).jaxpr
    )
    assert subject.name == "vmap(grad(plain))"


def test_a_transform_of_a_jit_is_of_the_jit_itself(funcs):
    loaded = load("funcs:step")
    subject = jitted(loaded, transforms=["vmap"])
    assert str(subject.trace(X).jaxpr) == str(jax.jit(jax.vmap(loaded.object)).trace(X).jaxpr)
    assert "name=step" in str(subject.trace(X).jaxpr)


@pytest.mark.parametrize("name", TRANSFORMS)
@pytest.mark.parametrize("by_keyword", [True, False])
def test_static_arguments_bypass_the_transforms(funcs, name, by_keyword):
    """Also those of a jitted target; with positional ones, vmap by itself fails."""
    subject = jitted(load("funcs:powered"), transforms=[name])
    assert (subject.static, subject.donated) == (("n",), ())
    of_x = jax.jit(getattr(jax, name)(lambda x: subject.function(x, 3)))
    traced = subject.trace(X, n=3) if by_keyword else subject.trace(X, 3)
    assert len(traced.jaxpr.in_avals) == 1
    assert jax.tree.map(str, traced.out_info) == jax.tree.map(str, of_x.trace(X).out_info)
    assert "@jit_powered" in traced.lower().as_text()


def test_grad_differentiates_the_first_argument_that_is_not_static(funcs):
    subject = jitted(load("funcs:first"), static=["n"], donate=["x"], transforms=["grad", "vmap"])
    traced = subject.trace(3, jax.ShapeDtypeStruct((2, 3), "float32"))
    assert traced.out_info.shape == (2, 3)
    assert traced.donate_argnums == (0,)


@pytest.mark.parametrize("qualname", ["stepper", "stepper.fast", "linear", "model.step", "bound"])
def test_transforms_of_modules_and_methods(funcs, qualname):
    traced = jitted(load(f"funcs:{qualname}"), transforms=["jacfwd"]).trace(X)
    assert traced.out_info.shape[-1] == 3


def test_transform_names_are_checked_without_a_target():
    check_transforms(TRANSFORMS)
    with pytest.raises(UsageError, match="--transform jit"):
        check_transforms(["grad", "jit"])


def test_a_message_has_names_and_short_defaults_alone():
    def takes(x: "jax.Array", act=jax.nn.relu, jitted=..., *, sizes: tuple = (1, 2), tree=...):
        return x

    takes.__defaults__ = (jax.nn.relu, jax.jit(lambda x: x))
    takes.__kwdefaults__["tree"] = object()
    shown = brief_signature(inspect.signature(takes))
    assert shown == "(x, act=relu, jitted=…, *, sizes=(1, 2), tree=…)"


def test_names_with_commas_are_several_parameters(funcs):
    both = jitted(load("funcs:plain"), static=["n,flag"])
    assert both.static == ("n", "flag")
    with pytest.raises(UsageError, match="--donate y: funcs:plain has no such parameter"):
        jitted(load("funcs:plain"), donate=["x,y"])
