"""The collectives of a program, unless XLA writes one in a form that is not known: numbers would be wrong."""

from __future__ import annotations

from jitinspect.errors import UnavailableError
from jitinspect.ir.collectives import CollectiveOperation, collectives
from jitinspect.ir.program import Program


def readable_collectives(program: Program) -> list[CollectiveOperation]:
    """In the order of the text. Raises `UnavailableError` if the groups of one cannot be read."""
    found = collectives(program)
    for one in found:
        if groups := one.unread_groups:
            name = one.operation.names[0]
            raise UnavailableError(
                f"{name}: XLA writes its groups of devices in a form that is not known: {groups}",
                hint="report this with the version of your jaxlib; an older one may write them otherwise",
            )
    return found
