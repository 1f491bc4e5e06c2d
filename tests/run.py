"""Set up and run every check, on this Python and on a newer one where there is one.

    python3 tests/run.py [pytest arguments]

Needs Python 3.11 or newer with pip, and nothing else. Each Python gets an environment of its
own below `.venv-test`, with the package installed as a user would install it. Exits 1 if a check
fails, and also if a newer interpreter is here but could not be used: a skipped Python is no pass.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NEWER = ["3.13", "3.14", "3.12"]
"""Pythons that the newest JAX runs on, the preferred one first."""


def main(pytest_arguments: list[str]) -> int:
    if sys.version_info < (3, 11):
        sys.exit("jitinspect needs Python 3.11 or newer")
    interpreters = [Path(sys.executable), *newer_interpreter()]
    results = {version(python): run_on(python, pytest_arguments) for python in interpreters}
    for tested, failures in results.items():
        print(f"Python {tested}: {'FAILED: ' + ', '.join(failures) if failures else 'all checks passed'}")
    return int(any(results.values()))


def newer_interpreter() -> list[Path]:
    """At most one interpreter newer than this one: from the path, else among pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for wanted in NEWER:
        on_path = [Path(found)] if (found := shutil.which(f"python{wanted}")) else []
        for python in [*on_path, *sorted(pyenv.glob(f"{wanted}.*/bin/python"), reverse=True)]:
            if (found_version := version(python)) and as_numbers(found_version) > sys.version_info[:2]:
                return [python]
    return []


def version(python: Path) -> str | None:
    """`3.13`; None for what does not run, such as a pyenv shim of a version that is not active."""
    program = "import sys; print('%d.%d' % sys.version_info[:2])"
    asked = subprocess.run([python, "-c", program], capture_output=True, text=True, check=False)
    return asked.stdout.strip() if asked.returncode == 0 else None


def as_numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


def run_on(python: Path, pytest_arguments: list[str]) -> list[str]:
    """Install into a fresh environment and run the checks there; the names of those that failed."""
    print(f"\n=== Python {version(python)}: {python}", flush=True)
    environment = ROOT / ".venv-test" / str(version(python))
    ours = environment / "bin" / "python"
    setup = [
        [python, "-m", "venv", "--clear", environment],
        [ours, "-m", "pip", "install", "--quiet", "--upgrade", "pip"],
        [ours, "-m", "pip", "install", "--quiet", ".[test]"],
    ]
    if not all(passes(command) for command in setup):
        return ["setup"]
    subprocess.run([ours, "-c", "import jax; print('jax', jax.__version__)"], cwd=ROOT, check=False)
    checks = {
        "ruff check": [ours, "-m", "ruff", "check", "."],
        "ruff format": [ours, "-m", "ruff", "format", "--check", "."],
        "mypy": [ours, "-m", "mypy"],
        "pytest": [ours, "-m", "pytest", *pytest_arguments],
    }
    return [name for name, command in checks.items() if not passes(command)]


def passes(command: list[str | Path]) -> bool:
    print("$", " ".join(map(str, command)), flush=True)
    return subprocess.run(command, cwd=ROOT, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
