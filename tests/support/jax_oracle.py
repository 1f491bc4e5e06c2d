"""What JAX itself does for each step of a program, by its own monitoring events: what to compare with.

It imports no jitinspect. Reads one JSON object a line (`prelude`, `steps`), and answers each with a list, an
object for each step: what has `begun` (`["trace", "f"]`) and `ended` since its arguments were made, how
often a Python body ran (`bodies`), which trace its result is from (`mark`), where its committed arguments
are (`placed`), what else the fast path tells apart (`fast`), and what it raised (`error`).
"""

import gc
import json
import os
import sys
import traceback

import jax
import jax.monitoring

PHASES = {
    "/jax/core/compile/jaxpr_trace_duration": "trace",
    "/jax/core/compile/jaxpr_to_mlir_module_duration": "lower",
    "/jax/core/compile/backend_compile_duration": "compile",
}


class Heard:
    """JAX's events since the last `forget`."""

    def __init__(self):
        self.begun, self.ended = [], []
        jax.monitoring.register_scalar_listener(self._begin)
        jax.monitoring.register_event_duration_secs_listener(self._end)

    def forget(self):
        self.begun.clear()
        self.ended.clear()

    def _begin(self, event, value, **kwargs):
        self._keep(self.begun, event, kwargs)

    def _end(self, event, seconds, **kwargs):
        self._keep(self.ended, event, kwargs)

    def _keep(self, kept, event, kwargs):
        if event in PHASES:
            name = str(kwargs.get("fun_name"))
            kept.append((PHASES[event], name[4:-1] if name.startswith("jit(") else name))


def placement(leaf):
    """Where a committed array is; None for everything else."""
    return str(leaf.sharding) if getattr(leaf, "committed", False) else None


class Steps:
    """One program, step by step."""

    def __init__(self, prelude, heard):
        self.heard, self.placed, self.fast, self.before = heard, None, None, 0
        self.names = {"__name__": "__main__"}
        exec(compile(prelude, "prelude.py", "exec"), self.names)
        self.names["note"] = self.note

    def note(self, args, kwargs):
        """The arguments are made: what follows is the call's own."""
        leaves = jax.tree.leaves((args, kwargs))
        self.placed = [placement(leaf) for leaf in leaves]
        own = [isinstance(leaf, jax.Array) for leaf in leaves]
        self.fast = f"{own} {jax.config.jax_default_device}"
        self.heard.forget()

    def run(self, step):
        self.placed = None
        self.heard.forget()
        self.before = self.names["traces"].made
        self.names["out"] = None
        exec(compile(step, "step.py", "exec"), self.names)
        out = self.names["out"]
        return {
            "begun": list(self.heard.begun),
            "ended": list(self.heard.ended),
            "bodies": self.names["traces"].made - self.before,
            "mark": int(out[1]) if isinstance(out, tuple) else None,
            "placed": self.placed,
            "fast": self.fast,
            "error": out if isinstance(out, str) else None,
        }


def main():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    gc.freeze()  # what was imported is not looked at in each collection
    heard = Heard()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            steps = Steps(request["prelude"], heard)
            answer = [steps.run(step) for step in request["steps"]]
        except Exception:
            answer = {"failed": traceback.format_exc()}
        steps = None
        gc.collect()
        jax.clear_caches()
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
