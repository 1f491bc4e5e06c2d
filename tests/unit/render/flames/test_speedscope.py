"""The file format of speedscope, by the rules of its schema."""

import json
from collections import Counter

from hypothesis import given

from jitinspect.model.flames import Stack
from jitinspect.render.flames.reports import Flames
from jitinspect.render.flames.speedscope import to_speedscope
from tests.support.flames import stacks


def read(*graphs):
    return json.loads(to_speedscope([Flames(f"call {n}", tuple(found)) for n, found in enumerate(graphs)]))


@given(stacks, stacks)
def test_all_time_is_there_by_stack(first, second):
    document = read(first, second)
    frames = [frame["name"] for frame in document["shared"]["frames"]]
    assert len(frames) == len(set(frames))
    for given_stacks, profile in zip((first, second), document["profiles"], strict=True):
        samples = [tuple(frames[at] for at in sample) for sample in profile["samples"]]
        told = dict(zip(samples, profile["weights"], strict=True))
        wanted = Counter()
        for stack in given_stacks:
            wanted[stack.frames] += stack.seconds
        assert len(told) == len(samples) and told == +wanted
        assert profile["endValue"] - profile["startValue"] == sum(profile["weights"])


def test_it_has_what_the_schema_requires():
    document = read([Stack(("compile", "fusion.1"), 0.5)])
    assert document["$schema"] == "https://www.speedscope.app/file-format-schema.json"
    assert document["exporter"].startswith("jitinspect ") and document["name"] == "call 0"
    (profile,) = document["profiles"]
    assert (profile["type"], profile["unit"]) == ("sampled", "seconds")
    assert {"name", "startValue", "endValue", "samples", "weights"} <= profile.keys()


def test_a_frame_has_its_file_and_line_where_it_names_them():
    document = read([Stack(("compile", "src/net.py:12 <lambda>", "dot.3:1"), 1.0)])
    assert document["shared"]["frames"] == [
        {"name": "compile"},
        {"name": "src/net.py:12 <lambda>", "file": "src/net.py", "line": 12},
        {"name": "dot.3:1"},
    ]
