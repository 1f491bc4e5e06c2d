"""A compilation and its stages → spans, as plain data: the names, the times and the attributes.

Attributes that OpenTelemetry's semantic conventions know have their names (`code.*`, `thread.id`,
`error.type`); the others begin with `jax.` or `jitinspect.`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from jitinspect.model.runs import Compilation, Span

Data = dict[str, Any]
"""A span: `name`, `start` and `end` in nanoseconds since 1970, `attributes`, and `error` if it failed."""


def spans_of(
    one: Compilation, stages: Iterable[Span], origin: int, job: tuple[int, int] | None = None
) -> list[Data]:
    """The span of a compilation, and behind it those of its stages. `origin` is when the watch began, in
    nanoseconds since 1970; `job` is the index of the process in its job, and how many there are.
    """
    whole = _span(f"compilation {one.function}", one.began, one.ended, origin)
    whole["attributes"] = _present({**_of_compilation(one), **_of_job(job)})
    if one.raised is not None:
        whole["error"] = one.error or f"raised in {one.raised}"
    return [whole, *(_of_stage(stage, origin) for stage in stages)]


def stages_of(one: Compilation, ended: Sequence[Span]) -> list[Span]:
    """Those of the stages that `ended` on the thread of a compilation which belong to it.

    One inside another has been told, and its stages been taken, before the other ends. Where an exception
    still holds the inner one, the stages have its name.
    """
    within = [
        stage
        for stage in ended
        if stage.phase in one.seconds and one.began <= stage.began and _end(stage) <= one.ended
    ]
    return [stage for stage in within if stage.function == one.function] or within


def _end(stage: Span) -> float:
    return stage.began + stage.seconds


def _span(name: str, began: float, ended: float, origin: int) -> Data:
    start = origin + round(began * 1e9)
    return {"name": name, "start": start, "end": max(start, origin + round(ended * 1e9)), "attributes": {}}


def _of_stage(stage: Span, origin: int) -> Data:
    span = _span(stage.phase, stage.began, _end(stage), origin)
    if stage.phase == "compile":
        span["attributes"] = {"jax.cache_hit": stage.disk_hit}
    return span


def _of_compilation(one: Compilation) -> Data:
    reasons = one.reasons
    return {
        "jax.function": one.function,
        "jax.signature": one.signature,
        "jitinspect.status": one.status,
        "jitinspect.kind": one.kind,
        "jitinspect.cause": "; ".join(reason.text for reason in reasons),
        "jitinspect.cause.kinds": list(dict.fromkeys(reason.kind for reason in reasons)),
        "jitinspect.hint": "; ".join(dict.fromkeys(reason.hint for reason in reasons if reason.hint)),
        "jitinspect.avoidable": one.avoidable,
        "jitinspect.seconds": one.spent,
        "jitinspect.compilations": one.compilations,
        "jitinspect.called_at": one.at,
        "jitinspect.after_warmup": one.late,
        "thread.id": one.thread,
        "error.type": one.error.partition(":")[0] if one.error else None,
        **_of_code(one.function, one.definition),
    }


def _of_code(function: str, definition: str | None) -> Data:
    file, _, line = (definition or "").rpartition(":")
    if not line.isdecimal():
        return {"code.function.name": function}
    return {"code.function.name": function, "code.file.path": file, "code.line.number": int(line)}


def _of_job(job: tuple[int, int] | None) -> Data:
    return {} if job is None else {"jax.process.index": job[0], "jax.process.count": job[1]}


def _present(attributes: Mapping[str, Any]) -> Data:
    return {name: value for name, value in attributes.items() if value not in (None, "", [])}
