"""A pytest plugin: tests that fail when something compiles more often than it should, and say why.

    @pytest.mark.max_compiles(2)              # in the test's own body; or max_compiles(2, function="step")
    def test_training(compile_log): …         # what compiled so far, and why: compile_log.calls

Off unless a test uses one of the two: jax is not imported, nothing is watched.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from jitinspect.api.watching import CompileLog

_LOG: Any = pytest.StashKey()
_MARK = "max_compiles"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        f"{_MARK}(number, function=None): fail if the test's body compiles more often than that, and say why",
    )


@pytest.fixture
def compile_log(request: pytest.FixtureRequest) -> Iterator[CompileLog]:
    """What JAX compiles while the test runs, and why: a `jitinspect.watch()` around its body."""
    from jitinspect import CompileLog

    with CompileLog() as log:
        request.node.stash[_LOG] = log
        yield log


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Iterator[None]:
    marks = list(pyfuncitem.iter_markers(_MARK))
    if not marks:
        return (yield)
    from jitinspect import CompileLog

    with CompileLog() as log:
        result = yield
    for mark in marks:
        _check(log, *_limit(mark))
    return result


def _limit(mark: pytest.Mark) -> tuple[int, str | None]:
    """Its arguments; the test fails where they are none."""
    try:
        return _arguments(*mark.args, **mark.kwargs)
    except TypeError as error:
        pytest.fail(f"@pytest.mark.{_MARK}(number, function=None): {error}", pytrace=False)


def _arguments(number: int, function: str | None = None) -> tuple[int, str | None]:
    if not isinstance(number, int):
        raise TypeError(f"{number!r} is not a number")
    return number, function


def _check(log: CompileLog, number: int, function: str | None) -> None:
    from jitinspect.programs.limits import Limits, MostCompiles, check_limits

    limits = Limits(most_compiles=(MostCompiles(function, number),))
    for check in check_limits(limits, log.report, (), reached=True):
        if not check.held:
            what, *causes = check.why
            limit = f"max_compiles({number}{f', function={function!r}' if function else ''})"
            pytest.fail("\n".join([f"{limit}: {what}", *(f"  {cause}" for cause in causes)]), pytrace=False)
