"""What a case is: a small program, what JAX does in each of its calls, and why it does so in the last."""

from dataclasses import dataclass
from textwrap import dedent
from typing import NamedTuple

IMPORTS = "import jax\nimport jax.numpy as jnp\nimport numpy as np\n\n"
DEVICES = "import os\nos.environ.setdefault('XLA_FLAGS', '--xla_force_host_platform_device_count=4')\n"


class Reason(NamedTuple):
    """What must be said of a call: `before` and `now` as parts of it; None stands for anything."""

    kind: str
    where: str | None = None
    before: str | None = None
    now: str | None = None


@dataclass(frozen=True)
class Case:
    """`statuses` are those of the calls of jitted objects that the program itself makes, outside of any
    trace, in the order of their starts; where versions of JAX differ, by the version's beginning.
    `reasons` are all that there are for the last call, where that is not cached. `only` is the beginning
    of the one version that can run the program."""

    name: str
    program: str
    statuses: str | dict[str, str]
    reasons: tuple[Reason, ...] = ()
    only: str | None = None

    def statuses_on(self, version: str) -> list[str]:
        return statuses_on(self.statuses, version)

    def reasons_on(self, version: str) -> tuple[Reason, ...]:
        return () if self.statuses_on(version)[-1] == "CACHED" else self.reasons

    def runs_on(self, version: str) -> bool:
        return self.only is None or version.startswith(self.only)


def statuses_on(statuses: str | dict[str, str], version: str) -> list[str]:
    """Those of one version of JAX."""
    if isinstance(statuses, str):
        return statuses.split()
    return next(text for begin, text in statuses.items() if version.startswith(begin)).split()


def case(name, program, statuses, *reasons, devices=False, only=None):
    """A case whose program is given without its imports; with `devices` it has four."""
    text = (DEVICES if devices else "") + IMPORTS + dedent(program).lstrip("\n")
    return Case(name, text, statuses, tuple(reasons), only)


def assert_said(expected, said):
    """Each of the expected reasons is said, and no other."""
    assert sorted(reason["kind"] for reason in said) == sorted(reason.kind for reason in expected), said
    for reason in expected:
        assert any(agrees(reason, one) for one in said), f"{reason} is not said: {said}"
    assert all(one["text"] for one in said), said


def agrees(expected, said):
    parts = [(expected.before, said["before"]), (expected.now, said["now"])]
    return (
        said["kind"] == expected.kind
        and expected.where in (None, said["where"])
        and all(part is None or part in str(whole) for part, whole in parts)
    )
