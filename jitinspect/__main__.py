"""The `jitinspect` command, and `python -m jitinspect`."""

import sys


def main() -> None:
    """Run the command line; `--version` alone is answered before anything else is imported."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from jitinspect import __version__

        sys.stdout.write(f"jitinspect {__version__}\n")
        return
    import gc
    import signal

    # Imports make few cycles, but the collector keeps looking for them: without it, imports take
    # a third less time. `cli.core` turns it back on before the user's code runs.
    gc.disable()
    from jitinspect.cli.ahead import worker_ahead

    with worker_ahead(sys.argv[1:]):
        from jitinspect.cli.main import run

        code = run(sys.argv[1:])
    if "jax" not in sys.modules:  # whose client is to be collected at the exit
        gc.freeze()  # all else need not be: the process ends
    if code == -signal.SIGINT:  # the interpreter then exits by that signal, as it would for the program
        sys.excepthook = lambda *_: None
        raise KeyboardInterrupt
    sys.exit(code)


if __name__ == "__main__":
    main()
