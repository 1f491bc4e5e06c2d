"""Pure: the signatures of earlier calls and of this one → why it compiled again."""

from jitinspect.calls.explain.differences import Difference, differences
from jitinspect.calls.explain.history import History, Row
from jitinspect.calls.explain.slots import (
    ABSENT,
    DEFAULT_LAYOUT,
    LEAF,
    Form,
    Interner,
    KnownSettings,
    MadeFunction,
    Node,
    Signature,
    Slot,
    Static,
)

__all__ = [
    "ABSENT",
    "DEFAULT_LAYOUT",
    "LEAF",
    "Difference",
    "Form",
    "History",
    "Interner",
    "KnownSettings",
    "MadeFunction",
    "Node",
    "Row",
    "Signature",
    "Slot",
    "Static",
    "differences",
]
