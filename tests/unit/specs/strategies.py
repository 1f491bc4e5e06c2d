"""Specs of all kinds, for property tests."""

from itertools import islice

from hypothesis import strategies as st

from jitinspect.specs import (
    ArraySpec,
    Device,
    DictSpec,
    KeySpec,
    ListSpec,
    Sharding,
    TupleSpec,
    ValueSpec,
)
from jitinspect.specs.dtypes import KEY_IMPLS, LONG

names = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,8}", fullmatch=True).filter(
    lambda name: name not in ("None", "True", "False")
)
shapes = st.lists(st.integers(0, 2**63 - 1) | names, max_size=5).map(tuple)


@st.composite
def placements(draw, shape):
    """A device, or a valid sharding: no more entries than dimensions, each axis once."""
    kind = draw(st.sampled_from(["none", "device", "sharding"]))
    if kind == "device":
        return Device(draw(names.filter(lambda name: name != "P")), draw(st.integers(0, 99)))
    if kind == "none":
        return None
    axes = iter(draw(st.lists(st.text(max_size=5), unique=True, min_size=15, max_size=15)))
    widths = draw(st.lists(st.none() | st.integers(0, 3), max_size=len(shape)))
    return Sharding(
        tuple(None if w is None else next(axes) if w == 1 else tuple(islice(axes, w)) for w in widths)
    )


@st.composite
def arrays(draw):
    dtype, shape = draw(st.sampled_from(sorted(LONG))), draw(shapes)
    return ArraySpec(dtype, shape, draw(st.booleans()), draw(placements(shape)))


@st.composite
def keys(draw):
    shape = draw(shapes)
    return KeySpec(draw(st.none() | st.sampled_from(sorted(KEY_IMPLS))), shape, draw(placements(shape)))


plain = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.complex_numbers() | st.text() | st.binary()
)
values = plain.map(ValueSpec)
specs = st.recursive(
    arrays() | keys() | values,
    lambda inner: (
        st.lists(inner, max_size=4).map(lambda items: ListSpec(tuple(items)))
        | st.lists(inner, max_size=4).map(lambda items: TupleSpec(tuple(items)))
        | st.dictionaries(st.text() | st.integers(), inner, max_size=4).map(
            lambda d: DictSpec(tuple(d.items()))
        )
    ),
    max_leaves=12,
)
