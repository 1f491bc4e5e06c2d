"""A stage's text parsed as a program, with the Python lines of its operations."""

from __future__ import annotations

from typing import Any

from jitinspect.errors import UnavailableError
from jitinspect.ir import hlo, jaxpr, mlir
from jitinspect.ir.program import Block, Program
from jitinspect.jaxapi.source_lines import module_lines
from jitinspect.jaxapi.source_lines.equation_names import name_equations
from jitinspect.jaxapi.source_lines.jaxpr_lines import printed, walked
from jitinspect.process import garbage_collection, memory
from jitinspect.stages.pipeline import ELIDE_ABOVE, Pipeline, compiled_text, require_jaxpr


def program(stage: str, pipeline: Pipeline, text: bool = True, names: bool = False) -> Program:
    """Runs the pipeline as far as the stage and no further. Without `text`, which JAX is slow to print, a
    jaxpr has no lines and its equations no parameters; it is empty where there is none. With `names`, which
    are only for a jaxpr with text, StableHLO and optimized HLO, operations have what JAX calls them.

    Raises `UnavailableError` if the text is not available, or not in a form that is known.
    """
    if stage == "jaxpr" and not pipeline.has_jaxpr:
        if text:
            require_jaxpr(pipeline)
        return Program("jaxpr", [], [Block("", (), [], 0, 0, is_entry=True)])
    getattr(pipeline, _STEPS[stage])  # the user's code runs here, with the garbage collector on
    if stage == "hlo":
        memory.give_back()  # what XLA took
    with garbage_collection.paused():
        if stage == "jaxpr" and not text:
            return walked(pipeline.traced)
        return (_PROGRAMS | (_NAMED if names else {}))[stage](pipeline)


def located(stage: str, pipeline: Pipeline) -> Program:
    """As `program` without text, for what only counts operations and asks for their lines: StableHLO then has
    no names and types either.
    """
    if stage != "stablehlo" or not module_lines.AVAILABLE:
        return program(stage, pipeline, text=False)
    module = pipeline.lowered.compiler_ir("stablehlo")
    with garbage_collection.paused():
        return module_lines.walked(module)


def _jaxpr(pipeline: Pipeline) -> Program:
    text, frames_at = printed(pipeline.traced)
    try:
        return jaxpr.parse(text, frames_at)
    except jaxpr.Unreadable as error:
        raise UnavailableError(f"this jaxpr cannot be parsed: {error}") from None


def _named_jaxpr(pipeline: Pipeline) -> Program:
    program = _jaxpr(pipeline)
    name_equations(program, pipeline.traced)
    return program


def _stablehlo(pipeline: Pipeline) -> Program:
    operation: Any = pipeline.lowered.compiler_ir("stablehlo").operation
    return mlir.parse(operation.get_asm(enable_debug_info=True, large_elements_limit=ELIDE_ABOVE))


def _hlo(pipeline: Pipeline) -> Program:
    text = compiled_text(pipeline)
    return hlo.readable(text)


def _named_hlo(pipeline: Pipeline) -> Program:
    text = compiled_text(pipeline)
    program = hlo.readable(text)
    hlo.name_instructions(program, text)
    return program


def _hlo_before(pipeline: Pipeline) -> Program:
    text = pipeline.lowered.as_text(dialect="hlo", debug_info=True)
    return hlo.readable(text)


_PROGRAMS = {"jaxpr": _jaxpr, "stablehlo": _stablehlo, "hlo": _hlo, "hlo-before": _hlo_before}
_NAMED = {"jaxpr": _named_jaxpr, "hlo": _named_hlo}
_STEPS = {"jaxpr": "traced", "stablehlo": "lowered", "hlo": "compiled", "hlo-before": "lowered"}
