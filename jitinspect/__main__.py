"""The `jitinspect` command, and `python -m jitinspect`."""

import gc
import signal
import sys


def main() -> None:
    """Run the command line; `--version` alone is answered before anything else is imported."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from jitinspect import __version__

        sys.stdout.write(f"jitinspect {__version__}\n")
        return
    # Imports make few cycles, but the collector looks for them again and again: without it they
    # take a third less time. `cli.core` lets it go on before code of the user's runs.
    gc.disable()
    from jitinspect.cli.main import run

    code = run(sys.argv[1:])
    if code == -signal.SIGINT:  # the interpreter ends by it, when it is done, as it would for the program
        sys.excepthook = lambda *_: None
        raise KeyboardInterrupt
    sys.exit(code)


if __name__ == "__main__":
    main()
