"""Reports of `profile` and `compile-time`, as if they had been saved."""

from jitinspect.model.compile_times import (
    CompileTime,
    CompileTimeReport,
    KernelTime,
    LineTime,
    PassTime,
    PhaseTime,
)
from jitinspect.model.profiles import Profile, ProfileReport, TimeOfCall, TimeOfLine, TimeOfOp
from jitinspect.model.program_profiles import ProgramProfile, TimeOfFunction, TraceReport
from tests.support.flames import TARGET


def profiled(seconds, slow=0.0):
    """Half of it at each of two lines; the first takes `slow` seconds more."""
    half = seconds / 2
    whole = seconds + slow
    return ProfileReport(
        "profile",
        TARGET,
        Profile(
            calls=4,
            wall_seconds=whole,
            covered_seconds=whole,
            by_line=(
                TimeOfLine("net.py", 3, "  h = f(x)", half + slow, 0.5),
                TimeOfLine("net.py", 4, "  return h + 1", half, 0.5),
            ),
            by_op=(
                TimeOfOp("fusion.1", half + slow, 1, ("net.py:3",)),
                TimeOfOp("add", half, 1, ("net.py:4",)),
            ),
            by_call=tuple(TimeOfCall(whole * part, whole) for part in (1.0, 1.01, 0.99, 1.0)),
        ),
    )


def traced(seconds, slow=0.0):
    """The same, of a whole program's functions."""
    half = seconds / 2
    lines, ops = profiled(seconds, slow).profile.by_line, profiled(seconds, slow).profile.by_op
    functions = (
        TimeOfFunction("f", "net.py:2", 1, 4, half + slow, 0.5), TimeOfFunction("g", None, 1, 4, half, 0.5),
    )  # fmt: skip
    whole = seconds + slow
    return TraceReport("profile", ("a",), ProgramProfile(whole, whole, whole, whole, functions, lines, ops))


def compile_time(seconds, slow=0.0, **dims):
    """Nearly all of it is LLVM's work on one kernel, which takes `slow` seconds more."""
    compiling = 0.8 * seconds + slow
    return CompileTime(
        {"trace": 0.1 * seconds, "lower": 0.1 * seconds, "compile": compiling},
        (PhaseTime("LLVM", compiling - 0.1 * seconds, 0.9), PhaseTime("HLO passes", 0.1 * seconds, 0.1)),
        (PassTime("dce", 0.1 * seconds, "simplification"),),
        (KernelTime("fusion.1", compiling - 0.1 * seconds, ("net.py:3",)),),
        (LineTime("net.py", 3, "  h = f(x)", 0.1 * seconds, compiling - 0.1 * seconds),),
        dims=dims,
    )


def compiled(seconds, slow=0.0):
    return CompileTimeReport("compile-time", TARGET, compile_time(seconds, slow))
