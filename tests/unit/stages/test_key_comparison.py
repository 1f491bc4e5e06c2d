"""Two keys → what differs, and why: pure functions of the model."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from jitinspect.model import CacheKey, Change, DiskEntry, DiskKey, MemoryKey
from jitinspect.stages.key_comparison import compare, differences, memory_changes

MEMORY = MemoryKey("m.f (/a/m.py:3)", ("x: f32[3]", "params['w']: f32[]{weak}"), {"n": "2"}, {})
DISK = DiskKey(
    "jit_f-00", "jit_f", {"computation": "c0", "compile_options": "o0", "compression": "z0"},
    {
        "computation": {"jax": "1", "module": "jit_f"}, "constants": {"tensor<f32>": "2.0"},
        "operations": {"stablehlo.sine": "1"}, "jax_lib version": {"jaxlib": "1"},
        "compile_options": {"xla_a": "1"}, "compression": {"algorithm": "zlib"},
    },
)  # fmt: skip
KEY = CacheKey(MEMORY, DISK)

texts = st.text(max_size=8)
mappings = st.dictionaries(texts, texts, max_size=3)
memories = st.builds(MemoryKey, texts, st.lists(texts, max_size=3).map(tuple), mappings, mappings)
disks = st.builds(
    DiskKey, texts, texts, mappings, st.dictionaries(texts, mappings, max_size=2),
    st.none() | st.just(DiskEntry("/a", present=True, bytes=3, written="now")),
)  # fmt: skip
keys = st.builds(CacheKey, memories, st.none() | disks, st.none() | texts, texts)


def now(disk=None, inputs=None, **memory):
    components = {**DISK.components, **(disk or {})}
    made_of = {name: {**values, **(inputs or {}).get(name, {})} for name, values in DISK.inputs.items()}
    return CacheKey(replace(MEMORY, **memory), replace(DISK, components=components, inputs=made_of))


def why(key):
    (difference,) = differences(KEY, key)
    return [(change.what, change.before, change.now) for change in difference.why]


@given(keys)
def test_a_key_does_not_differ_from_itself(key):
    found = compare(key, key, "key.json")
    assert found.same == found.disk_known == (key.disk is not None)
    assert found.memory == () and found.disk == () and not found.other_file


@given(keys, keys)
def test_differences_have_both_sides(old, new):
    found = compare(old, new, "key.json")
    assert all(change.before != change.now for change in found.memory)
    assert all(difference.before != difference.now for difference in found.disk)


def test_an_argument_goes_by_its_path():
    key = now({"computation": "c1"}, args=("x: f32[4]", MEMORY.args[1]), static={"n": "3"})
    assert why(key) == [("argument x", "f32[3]", "f32[4]"), ("static n", "2", "3")]
    assert memory_changes(MEMORY, key.memory)[0] == Change("argument x", "f32[3]", "f32[4]")


def test_what_follows_from_an_argument_is_left_out():
    inputs = {"constants": {"tensor<f32>": "3.0"}, "operations": {"stablehlo.sine": "2"}}
    assert len(why(now({"computation": "c1"}, inputs, args=("x: f32[4]", MEMORY.args[1])))) == 1
    assert [what for what, *_ in why(now({"computation": "c1"}, inputs))] == [
        "constant tensor<f32>", "operations stablehlo.sine",
    ]  # fmt: skip


def test_a_renamed_argument_is_one_change_and_not_a_cause():
    key = now({"computation": "c1"}, args=("y: f32[3]", MEMORY.args[1]))
    assert memory_changes(MEMORY, key.memory) == (Change("argument 0", "x: f32[3]", "y: f32[3]"),)
    assert why(key) == []


def test_the_line_of_a_function_is_not_a_difference():
    assert memory_changes(MEMORY, replace(MEMORY, function="m.f (/b/m.py:90)")) == ()


def test_a_placement_causes_other_compile_options():
    key = now({"compile_options": "o1"}, args=("x: f32[3]@cpu:0", MEMORY.args[1]))
    assert why(key) == [("argument x", "f32[3]", "f32[3]@cpu:0")]


def test_another_jaxlib_is_the_cause_if_no_other_is_found():
    assert why(now({"compile_options": "o1"})) == []
    assert why(now({"compile_options": "o1"}, {"jax_lib version": {"jaxlib": "2"}})) == [("jaxlib", "1", "2")]


def test_a_missing_key_is_reported():
    found = compare(CacheKey(MEMORY), KEY, "key.json")
    assert not found.disk_known and found.disk == () and not found.same
    assert not compare(CacheKey(MEMORY), CacheKey(MEMORY), "key.json").same


def test_another_file_with_the_same_components_is_another_key():
    found = compare(KEY, replace(KEY, disk=replace(DISK, key="jit_f-01")), "key.json")
    assert found.other_file and found.disk == () and not found.same


def test_components_of_another_jax_are_differences():
    key = replace(KEY, disk=replace(DISK, components={**DISK.components, "new": "n"}))
    (difference,) = differences(KEY, key)
    assert (difference.component, difference.before, difference.now) == ("new", None, "n")
