"""The process of a compiler: it is given a device and one compilation, which it carries out to the end.

It is stopped before that end where only the optimized module was asked for.
"""

from __future__ import annotations

import os
import traceback
from typing import NoReturn

from jitinspect.devices.lifeline import Parent
from jitinspect.errors import JitinspectError
from jitinspect.jaxapi.executables import absent


def serve(parent: Parent) -> NoReturn:
    """Answers with an `Outcome`, or the error."""
    try:
        platform, topology, options = parent.receive()
        devices = absent.absent_devices(platform, topology, options)
        compilation = parent.receive()
        parent.end_with()
        parent.answer(absent.carry_out(compilation, devices))
    except JitinspectError as error:
        parent.answer(error)
    except BaseException:  # such as the end of the worker
        traceback.print_exc()
        os._exit(1)
