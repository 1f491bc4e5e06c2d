"""`export` as text and as JSON."""

from dataclasses import replace

import pytest

from jitinspect.model import Target
from jitinspect.model.exports import CustomCall, Exported, ExportedArray, ExportReport
from jitinspect.render.json import from_json, to_json
from jitinspect.render.readings import render

EXPORTED = Exported(
    function="step",
    file="step.jaxexport",
    bytes=4428,
    sha256="ab" * 32,
    platforms=("cpu", "tpu"),
    devices=8,
    calling_convention=10,
    supported=(9, 10),
    schema=12,
    written_by="0.12.0.1",
    stablehlo="StableHLO_v1.18.0",
    has_vjp=False,
    dims=("b",),
    arguments=(
        ExportedArray("params['w']", "f32[784,10]", "P('model', None)"),
        ExportedArray("x", "f32[b,784]"),
        ExportedArray("arg2", "f32[]", used=False),
    ),
    results=(ExportedArray("result", "f32[b,10]"),),
    custom_calls=(CustomCall("lapack_sgetrf", True), CustomCall("mine", False)),
    disabled_checks=("custom_call:mine",),
)


def report(**changed):
    return ExportReport(
        "export", Target("step.jaxexport", "jit_step", "step", None, None), replace(EXPORTED, **changed)
    )


def text(width=160, **changed):
    return "".join(render(report(**changed), color=False, width=width))


def test_what_is_told():
    assert text().splitlines() == [
        "step.jaxexport  4.43 kB",
        "function      step",
        "platforms     cpu, tpu",
        "devices       8",
        "dimensions    b; of any size that the export takes",
        "called by     version 10; this JAX calls 9 to 10",
        "written       in form 12 by jax 0.12.0.1, its module as StableHLO_v1.18.0",
        "              JAX promises that a JAX up to 6 months newer, and one up to 3 weeks older, than "
        "the one that wrote it can call it",
        "gradients     none: it was written without a VJP",
        "effects       none",
        "custom calls  lapack_sgetrf",
        "              without a promise that they go on to work: mine",
        "not checked   custom_call:mine",
        f"sha256        {'ab' * 32}",
        "",
        "argument     type         sharding",
        "params['w']  f32[784,10]  P('model', None)",
        "x            f32[b,784]",
        "arg2         f32[]        unused",
        "3 arguments",
        "",
        "result  type       sharding",
        "result  f32[b,10]",
        "1 result",
    ]


@pytest.mark.parametrize("width", [60, 80, 200])
def test_no_line_is_too_long_but_for_the_digest(width):
    lines = [line for line in text(width).splitlines() if not line.startswith("sha256")]
    assert max(map(len, lines)) <= width


def test_less_is_told_of_less():
    shown = text(arguments=(), dims=(), custom_calls=(), disabled_checks=(), written_by=None, has_vjp=True)
    for told in ("no arguments", "custom calls  none", "in form 12, its module", "a VJP is in it"):
        assert told in shown
    assert "not checked" not in shown and "dimensions" not in shown


def test_a_convention_that_this_jax_does_not_know_is_marked():
    shown = "".join(render(report(calling_convention=11), color=True, width=120))
    assert "\033[33mversion 11; this JAX calls 9 to 10" in shown


def test_its_json_is_read_back():
    assert from_json(to_json(report())) == report()


def test_what_is_donated_is_not_by_itself():
    given = EXPORTED.arguments[0]
    shown = text(arguments=(replace(given, donated=True), EXPORTED.arguments[1]))
    assert "donates       params['w']; only if the caller donates as well" in shown
    assert "donates" not in text()
