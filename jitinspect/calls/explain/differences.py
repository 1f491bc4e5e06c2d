"""Two signatures → all the differences between them, as data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from jitinspect.calls.explain.history import History, Row
from jitinspect.calls.explain.modules import appeared, attribute_text, is_graph
from jitinspect.calls.explain.slots import DEFAULT_LAYOUT, LEAF, Node, Slot, Static
from jitinspect.calls.explain.values import (
    differing_metadata,
    node_text,
    parts,
    reprs_around_difference,
    text,
)
from jitinspect.model import ReasonKind

NOT_THERE = "nothing"
"""The text for an attribute that only one of two modules has."""
LEAF_TYPE: tuple[ReasonKind, ...] = ("shape", "dtype", "weak_type")


@dataclass(frozen=True, slots=True)
class Difference:
    """One component that differs: `before` and `now` are texts for the reader, `old` and `new` the raw values
    for the hint.
    """

    kind: ReasonKind
    where: str | None
    before: str
    now: str
    old: object = None
    new: object = None


def differences(history: History, row: Row, earlier: Row, most: int | None = None) -> tuple[Difference, ...]:
    """Every difference that may have made JAX compile again, once each; of at most `most` differing
    components. How an argument was passed comes after what was passed.
    """
    changed = list(islice(history.changed(row, earlier), most))
    found = [difference for slot in changed for difference in _slot_differences(slot, row, earlier)]
    told = [difference for difference in found if not _implied(difference, found)]
    return tuple(sorted(told, key=lambda difference: difference.kind == "call_form"))


def _slot_differences(slot: Slot, row: Row, earlier: Row) -> Iterator[Difference]:
    kind, where = slot
    old, new = earlier.get(kind, where), row.get(kind, where)
    if kind in LEAF_TYPE:
        yield Difference(kind, where, leaf_text(earlier, where), leaf_text(row, where), old, new)
    elif isinstance(old, Static) and isinstance(new, Static):
        for place, before, now in parts(where, old, new):
            yield Difference(kind, place, *_static_texts(before, now), before.value, now.value)
    elif kind == "static_value":  # traced on one side
        yield Difference(
            kind, where, _value_text(earlier, where, old), _value_text(row, where, new), old, new
        )
    elif isinstance(old, Node) and isinstance(new, Node):
        yield from _nodes(where, old, new, row, earlier)
    elif kind == "call_form":
        yield Difference(kind, where, earlier.call_form(where), row.call_form(where), old, new)
    elif kind == "layout":
        yield Difference(kind, where, _layout_text(earlier, where), _layout_text(row, where), old, new)
    elif kind == "committed":
        yield Difference(kind, where, _placement_text(earlier, where), _placement_text(row, where), old, new)
    else:
        yield Difference(kind, where, text(kind, old), text(kind, new), old, new)


def _nodes(where: str | None, old: Node, new: Node, row: Row, earlier: Row) -> Iterator[Difference]:
    """A tree whose node differs in a field is described by that field, as a static value would be."""
    if is_graph(new.type) and is_graph(old.type) and (changes := list(_appearances(where, old, new))):
        yield from changes
        return
    fields = list(differing_metadata(old, new))
    for name, before, now in fields:
        texts = _static_texts(before, now)
        owner = str(where).removesuffix("[0]") if is_graph(new.type) else where  # flax: (graph, arrays)
        yield Difference("static_value", f"{owner}.{name}", *texts, before.value, now.value)
    if not fields:
        typed = old.type is not new.type
        texts = _node_text(old, earlier, where, typed), _node_text(new, row, where, typed)
        if texts[0] == texts[1] and typed and old.type and new.type:
            texts = _whole_name(old.type), _whole_name(new.type)
        yield Difference("structure", where, *_distinct(*texts), old, new)


def _appearances(where: str | None, old: Node, new: Node) -> Iterator[Difference]:
    """What one of two modules has and the other has not, by its path."""
    owner = str(where).removesuffix("[0]")
    for path, attribute in appeared(old.aux, new.aux):
        yield Difference("structure", f"{owner}{path}", NOT_THERE, attribute_text(attribute), None, attribute)
    for path, attribute in appeared(new.aux, old.aux):
        yield Difference("structure", f"{owner}{path}", attribute_text(attribute), NOT_THERE, attribute, None)


def _whole_name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _static_texts(before: Static, now: Static) -> tuple[str, str]:
    """Different even where two values print alike: then by their types, or as two objects."""
    old, new = text("static_value", before), text("static_value", now)
    if old == new and before.type is not now.type:
        return f"{before.type.__qualname__} {old}", f"{now.type.__qualname__} {new}"
    if old == new and (longer := reprs_around_difference(before.value, now.value)) is not None:
        return longer
    return _distinct(old, new)


def _distinct(old: str, new: str) -> tuple[str, str]:
    return (old, f"{new} (a different object)") if old == new else (old, new)


def _node_text(node: Node, row: Row, where: str | None, typed: bool) -> str:
    if node.type is not None:
        return node_text(node, typed)
    static = row.get("static_value", where)
    return text("static_value", static) if isinstance(static, Static) else leaf_text(row, where)


def _value_text(row: Row, where: str | None, value: Node | Static) -> str:
    return leaf_text(row, where) if value == LEAF else text("static_value", value)


def leaf_text(row: Row, where: str | None) -> str:
    """`f32[128,784]{weak}`, from the three components of a leaf's type."""
    shape, weak = row.get("shape", where), row.get("weak_type", where)
    if shape is None:
        return "a leaf"
    sizes = ",".join(map(str, shape))
    return f"{row.get('dtype', where)}[{sizes}]{'{weak}' if weak else ''}"


def _layout_text(row: Row, where: str | None) -> str:
    """The dimensions from outermost to innermost in memory."""
    rank = len(row.get("shape", where))
    layout = row.get("layout", where)
    return f"({', '.join(map(str, range(rank)))})" if layout == DEFAULT_LAYOUT else str(layout)


def _placement_text(row: Row, where: str | None) -> str:
    if not row.get("committed", where):
        return "uncommitted"
    return f"committed to {row.get('device', where)}"


def _implied(diff: Difference, found: list[Difference]) -> bool:
    """Whether another difference says it better: a new function is explained by what it closes over; another
    value than a static argument's default has to be passed; a sharding includes the devices, and that the
    array is committed to them.
    """
    if diff.kind == "new_function":
        return any(other.kind == "closure" for other in found)
    if diff.kind == "jit_options" and str(diff.where).endswith("_argnames"):  # inferred from the numbers
        return any(other.where == f"{str(diff.where)[:-5]}nums" for other in found)
    if diff.kind == "call_form" and "default" in (diff.old, diff.new):
        return any(other.kind == "static_value" and other.where == diff.where for other in found)
    if diff.kind == "shape" and "key<" in diff.before + diff.now:  # words of an old key are not a dimension
        return any(other.kind == "dtype" and other.where == diff.where for other in found)
    if diff.kind in ("device", "committed"):
        return any(other.kind == "sharding" and other.where == diff.where for other in found)
    return False
