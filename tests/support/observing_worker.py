"""jitinspect's core as a process: `trace-cache` on one script after another, with JAX started once.

Reads one JSON object a line (`script`, `plan`, `mesh`) and answers with the report's rows.
"""

import dataclasses
import gc
import json
import os
import sys
import traceback
from pathlib import Path

import jax

from jitinspect.calls.trace_cache import Listeners, Request, trace_cache


def rows(request):
    mesh = tuple((name, size) for name, size in request.get("mesh", ()))
    result = trace_cache(Request(Path(request["script"]), plan=request["plan"], mesh=mesh), Listeners())
    if result.report.stopped:
        return {"failed": result.report.stopped}
    return [dataclasses.asdict(call) for call in result.report.calls]


def main():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    gc.freeze()  # what was imported is not looked at in each collection
    for line in sys.stdin:
        request = json.loads(line)
        sys.path.insert(0, str(Path(request["script"]).parent))
        try:
            answer = rows(request)
        except Exception:
            answer = {"failed": traceback.format_exc()}
        finally:
            sys.path.pop(0)
        gc.collect()
        jax.clear_caches()
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
