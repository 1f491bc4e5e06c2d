"""The process of a compiler: it is given a device and one compilation, which it carries out to the end.

It is stopped before that end where only the optimized module was asked for.
"""

from __future__ import annotations

import os
import traceback
from contextlib import suppress
from typing import Any, NoReturn

from jitinspect.devices.lifeline import Parent
from jitinspect.errors import JitinspectError
from jitinspect.jaxapi.executables import absent


def serve(loaded: tuple[str, str, dict[str, Any], bool], parent: Parent) -> NoReturn:
    """Answers with an `Outcome`, or the error. `loaded` names platform, topology and its options, and says
    whether to warm up before the compilation comes.
    """
    try:
        platform, topology, options, warms = loaded
        devices = absent.absent_devices(platform, topology, options)
        if warms:
            with suppress(JitinspectError):  # what it is about, the compilation will tell as well
                absent.warm_up(devices)
        compilation = parent.receive()
        parent.end_with()
        parent.answer(absent.carry_out(compilation, devices))
    except JitinspectError as error:
        parent.answer(error)
    except BaseException:  # such as the end of the worker
        traceback.print_exc()
        os._exit(1)
