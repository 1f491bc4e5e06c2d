"""What the watch of whole programs says of each program of a list, and how often JAX compiled in it.

    python -m tests.support.watched < programs.json > told.json

reads a list of program texts, and writes for each its compilations, the number of JAX's own events beside
them, its warnings, and the numbers that it left in `out`; or the traceback of a program that failed. Each
runs in a fork of one process that has imported jax and done nothing with it.
"""

import contextlib
import dataclasses
import gc
import json
import multiprocessing
import sys
import traceback
import warnings

import jax
import jax.monitoring

from jitinspect.programs.watch import Watch
from tests.support.compiling import compile_cheaply
from tests.support.prefork import import_what_compiling_imports


def told(program):
    compile_cheaply(program)
    events = []
    jax.monitoring.register_event_duration_secs_listener(lambda event, *_, **__: events.append(event))
    jax.monitoring.register_event_listener(lambda event, **_: events.append(event))
    watch, names = Watch(), {"__name__": "__main__"}
    try:
        with watch, contextlib.redirect_stdout(sys.stderr):
            exec(compile(program, "program.py", "exec"), names)
    except BaseException:
        return traceback.format_exc()
    if watch.watcher.fault is not None:
        return "".join(traceback.format_exception(watch.watcher.fault))
    report = watch.report("program.py")
    return {
        "compilations": [dataclasses.asdict(one) for one in report.compilations],
        "warnings": report.warnings,
        "out": [float(one) for one in names.get("out", ())],
        "internal": report.internal.compilations,
        "events": events.count("/jax/core/compile/backend_compile_duration"),
        "disk_hits": events.count("/jax/compilation_cache/cache_hits"),
    }


def main():
    import_what_compiling_imports()
    gc.freeze()  # what is shared by the forks stays shared
    warnings.filterwarnings("ignore", message="os.fork", category=RuntimeWarning)
    with multiprocessing.get_context("fork").Pool(2, maxtasksperchild=1) as forks:
        json.dump(forks.map(told, json.load(sys.stdin), chunksize=1), sys.stdout)


if __name__ == "__main__":
    main()
