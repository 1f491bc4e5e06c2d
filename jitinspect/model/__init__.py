"""The frozen dataclasses that the wings exchange.

The core makes them, `render` prints them, `view` reads them back: nothing else passes between core and
`render`, and nothing here knows about JAX or terminals. The reports on whole programs are in `model.runs`,
which other commands do not load.

Plain values enter, dataclasses leave. May import: nothing.
"""

from jitinspect.model.base import SCHEMA, CacheOutcome, Environment, Phase, ReasonKind, Status, Work
from jitinspect.model.calls import (
    MOST_ROWS,
    MOST_WARNINGS,
    Call,
    CallReport,
    CallTotals,
    CapturedValue,
    FunctionTotals,
    Policy,
    Reason,
    SlowCalls,
    Snapshot,
)
from jitinspect.model.diagnosis import Diagnosis, Support, TargetSupport
from jitinspect.model.keys import (
    CacheKey,
    Change,
    Comparison,
    DiskEntry,
    DiskKey,
    KeyDifference,
    MemoryKey,
)
from jitinspect.model.listing import ListedCallable, Listing
from jitinspect.model.stages import (
    WHOLE,
    WORDS,
    AbsentDevice,
    Artifact,
    CompileEvent,
    Kernel,
    Report,
    SavedRequest,
    StageText,
    Target,
    View,
)

__all__ = [
    "MOST_ROWS",
    "MOST_WARNINGS",
    "SCHEMA",
    "WHOLE",
    "WORDS",
    "AbsentDevice",
    "Artifact",
    "CacheKey",
    "CacheOutcome",
    "Call",
    "CallReport",
    "CallTotals",
    "CapturedValue",
    "Change",
    "Comparison",
    "CompileEvent",
    "Diagnosis",
    "DiskEntry",
    "DiskKey",
    "Environment",
    "FunctionTotals",
    "Kernel",
    "KeyDifference",
    "ListedCallable",
    "Listing",
    "MemoryKey",
    "Phase",
    "Policy",
    "Reason",
    "ReasonKind",
    "Report",
    "SavedRequest",
    "SlowCalls",
    "Snapshot",
    "StageText",
    "Status",
    "Support",
    "Target",
    "TargetSupport",
    "View",
    "Work",
]
