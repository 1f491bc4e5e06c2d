"""The JSON of instructions, with sorted keys."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitinspect.ir.backend_configs import with_sorted_keys

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def line(config):
    return f"  %a = f32[] add(%b, %c), backend_config={config}, metadata={{}}\n"


@given(st.dictionaries(st.text(), VALUES, max_size=4))
def test_keys_are_sorted_at_every_depth_and_nothing_else_changes(config):
    given_text = json.dumps(config, separators=(",", ":"))
    found = with_sorted_keys(line(given_text))
    start = found.index("backend_config=") + len("backend_config=")
    assert json.JSONDecoder().raw_decode(found, start)[0] == config
    assert with_sorted_keys(found) == found
    assert sorted(found) == sorted(line(given_text))


@pytest.mark.parametrize(
    "config", ['{is_stable = true, order = "TOTAL"}', '"opaque"', '{"a":1', '{"a" "b"}', "{" * 500]
)
def test_what_is_no_json_stays_as_it_is(config):
    assert with_sorted_keys(line(config)) == line(config)


def test_an_example():
    assert '={"a":{"b":2,"c":[{"d":1,"e":"{,"}]},"z":1.0}' in with_sorted_keys(
        line('{"z":1.0,"a":{"c":[{"e":"{,","d":1}],"b":2}}')
    )
