"""Subjects of a request, made again in other sizes."""

import jax

from jitinspect.model.readings import SourceReport
from jitinspect.specs import parse_argument
from jitinspect.stages import inspection


def subjects_of(dims):
    request = inspection.Request(
        command="fit",
        ref="samples.mlp:loss_fn",
        stages=(),
        arguments=(parse_argument("f32[B,D]"), parse_argument("f32[D,8]")),
        dims=dims,
    )
    found = []

    def reader(target, subjects):
        found.extend(subjects)
        found.extend(one.resized({"B": 32}) for one in found[:])
        assert [one.pipeline.traced.jaxpr.in_avals[0].shape[0] for one in found] == [
            one.dims["B"] for one in found
        ]
        return SourceReport("source", target, None)

    report = inspection.read(request, reader)
    return found, report


def test_a_subject_in_another_size_keeps_the_others():
    jax.clear_caches()
    found, report = subjects_of({"B": (4,), "D": (16, 64)})
    signatures = [
        "loss_fn(f32[4,16], f32[16,8])",
        "loss_fn(f32[4,64], f32[64,8])",
        "loss_fn(f32[32,16], f32[16,8])",
        "loss_fn(f32[32,64], f32[64,8])",
    ]
    assert [one.signature for one in found] == signatures
    assert found[2].dims == {"B": 32, "D": 16}
    traced = [event.signature for event in report.events if event.phase == "trace"]
    assert traced, "of which the caller is told, as of any other"
