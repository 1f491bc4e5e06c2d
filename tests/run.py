"""Set up and run every check, side by side, on each Python and each JAX that jitinspect supports.

    python3 tests/run.py                     # all of it: what CI runs
    python3 tests/run.py --quick             # a choice for whoever edits: under three minutes
    python3 tests/run.py PYTEST-ARGUMENTS    # these tests alone, on the two full environments

Needs Python 3.11 or newer with pip, and nothing else. The whole suite runs on this Python and on a newer
one, each with the newest JAX that it can have; a choice of tests runs on older JAX versions. Environments
lie below `.venv-test`, with the package installed as a user would install it. Exits 1 if a check fails, and
also if a newer interpreter is here but could not be used: a skipped Python is no pass.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENTS = ROOT / ".venv-test"
WHEELS = ENVIRONMENTS / "wheels"
"""Where the package is built, once for all environments."""
NEWER = ("3.13", "3.14", "3.12")
"""Pythons that the newest JAX runs on, the preferred one first."""
OLDER_JAX = {"0.8.3": "3.11", "0.9.2": "3.11", "0.11.2": "3.12"}
"""JAX versions that get a choice of the tests, each with the Python that it is run on."""
EVERY_COMMAND = "tests/e2e/test_every_command.py"
"""One pass over all commands, which the rest of `tests/e2e` makes more thoroughly."""
ON_ABSENT_DEVICES = [
    "tests/e2e/devices", "tests/integration/devices", "tests/integration/readings/test_cost_on_devices.py",
    "tests/integration/readings/test_collectives_on_devices.py",
]  # fmt: skip
"""What needs the compilers of TPUs and GPUs; with these, JAX in other tests would look for such a device."""
SHARDS = {
    "e2e": ["tests/e2e", f"--ignore={EVERY_COMMAND}", "--ignore=tests/e2e/devices"],
    "integration": ["tests/integration"],
    "unit, contract": ["tests/unit", "tests/contract"],
}
"""The whole suite in parts, so that processors stay busy to the end: those that take long are begun first."""
ON_OLDER_JAX = [
    "tests/contract", "tests/e2e/test_causes.py", "tests/integration/programs/test_watch.py",
    EVERY_COMMAND,
]  # fmt: skip
"""What leans on private JAX, the causes of recompilations, and one pass over all commands."""
QUICK = ["tests/unit", "tests/contract", "tests/integration/test_api.py", EVERY_COMMAND]

Command = Sequence[str | Path]


@dataclass(frozen=True)
class Environment:
    """A virtual environment: `jax` pins a version, `extras` are of this package. What it does not have itself
    it has from `shares`.
    """

    interpreter: Path
    name: str
    jax: str | None = None
    shares: "Environment | None" = None
    extras: str = ""
    editable: bool = False

    @property
    def folder(self) -> Path:
        return ENVIRONMENTS / self.name

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def setup(self) -> list[Command]:
        """By this Python's pip, so that none is installed. What tests start in this folder imports what is in
        it, and could not keep the bytecode: it is made now.
        """
        imported = ["jitinspect", "tests/support", "tests/sharded"]
        return [*self._installations(), [self.python, "-m", "compileall", "-q", *imported]]

    def _installations(self) -> list[Command]:
        pip: Command = [
            sys.executable, "-m", "pip", "--python", self.python, "install",
            "--quiet", "--disable-pip-version-check",
        ]  # fmt: skip
        package = "." if self.editable else next(WHEELS.glob("*.whl"))
        ours = [*(["--editable"] if self.editable else []), f"{package}[test]"]
        pins = [f"jax=={self.jax}", f"jaxlib=={self.jax}"] if self.jax else []
        # where it is seen among what is shared, pip would take it as installed, without its command
        ours_again: Command = [*pip, "--no-deps", "--force-reinstall", package]
        if self.extras:
            return [[*pip, f"{package}[{self.extras}]"], ours_again]
        if not self.shares:
            return [[*pip, *ours, *pins]]
        # flax takes part in the choice: which version of it fits depends on JAX's
        return [[*pip, *pins, "flax"], ours_again]


@dataclass
class Check:
    """A command of an environment, and how it went."""

    title: str
    environment: Environment
    command: Command
    passed: bool = False
    seconds: float = field(default=0.0)


def main(arguments: list[str]) -> int:
    if sys.version_info < (3, 11):
        sys.exit("jitinspect needs Python 3.11 or newer")
    if "--quick" in arguments:
        environments = [Environment(Path(sys.executable), f"quick-{version(sys.executable)}", editable=True)]
    else:
        environments = full_environments() + ([] if arguments else [*with_compilers(), *older_environments()])
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"  # else a module written twice in a second is the first one
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # else an idle thread spins as each Python starts
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background is started without
    began = time.monotonic()
    if not arguments:
        install_browser()
    if "--quick" not in arguments and not build():
        return 1
    checks = [check for one in environments for check in checks_of(one, arguments)]
    with ThreadPoolExecutor(processors()) as installers:
        setups = set_up(installers, environments, keep="--quick" in arguments)
        run_side_by_side(sorted(checks, key=lambda check: RANKS.index(rank(check))), setups)
    return summarize(setups, checks, time.monotonic() - began)


def install_browser() -> None:
    """Where the system has no Chromium and would give us one. Tests of pages are skipped without."""
    apt = shutil.which("apt-get")
    if not shutil.which("chromium") and apt and os.geteuid() == 0:
        run([[apt, "update", "--quiet"], [apt, "install", "--yes", "--quiet", "chromium"]], "browser")


# Which Pythons and which JAX


def full_environments() -> list[Environment]:
    """This Python, and a newer one if there is one."""
    interpreters = [Path(sys.executable), *newer_interpreter()]
    return [Environment(python, f"{version(python)}") for python in interpreters]


def with_compilers() -> list[Environment]:
    """For each full environment, one that has the compilers for absent devices, too."""
    return [
        Environment(full.interpreter, f"{full.name}-devices", shares=full, extras="tpu,cuda")
        for full in full_environments()
    ]


def older_environments() -> list[Environment]:
    """One for each older JAX that some Python here can have. It shares packages with the full environment of
    its Python, where there is one.
    """
    full = {version(one.interpreter): one for one in full_environments()}
    found = []
    for jax, wanted in OLDER_JAX.items():
        python = next(iter(interpreters_of(wanted)), None) or newest(full, wanted)
        if python is not None:
            shares = full.get(version(python))
            found.append(Environment(python, f"{version(python)}-jax-{jax}", jax, shares))
    return found


def newest(full: dict[str | None, Environment], wanted: str) -> Path | None:
    """The interpreter of a full environment that is newer than the one that was wanted."""
    newer = [one.interpreter for name, one in full.items() if name and as_numbers(name) > as_numbers(wanted)]
    return newer[-1] if newer else None


def newer_interpreter() -> list[Path]:
    """At most one interpreter newer than this one."""
    for wanted in NEWER:
        if as_numbers(wanted) > sys.version_info[:2]:
            for python in interpreters_of(wanted):
                return [python]
    return []


def interpreters_of(wanted: str) -> Iterable[Path]:
    """Those of a version that run: this one, from the path, else among pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    on_path = [Path(found)] if (found := shutil.which(f"python{wanted}")) else []
    for python in [
        Path(sys.executable),
        *on_path,
        *sorted(pyenv.glob(f"{wanted}.*/bin/python"), reverse=True),
    ]:
        if version(python) == wanted:
            yield python


def version(python: str | Path) -> str | None:
    """`3.13`; None for what does not run, such as a pyenv shim of a version that is not active."""
    program = "import sys; print('%d.%d' % sys.version_info[:2])"
    asked = subprocess.run([python, "-c", program], capture_output=True, text=True, check=False)
    return asked.stdout.strip() if asked.returncode == 0 else None


def as_numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


# Setting up


Setups = dict[Environment, "Future[bool]"]


def set_up(installers: Executor, environments: list[Environment], keep: bool) -> Setups:
    """Begin to install all of them, those last that share with another: while the others are tested. Whether
    each is ready.
    """
    setups: Setups = {}
    for one in sorted(environments, key=lambda one: bool(one.shares)):
        setups[one] = installers.submit(install, one, keep, setups.get(one.shares) if one.shares else None)
    return setups


def build() -> bool:
    """Make the wheel that is installed in each environment."""
    shutil.rmtree(WHEELS, ignore_errors=True)
    pip: Command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    return run([[*pip, "--no-deps", "--wheel-dir", WHEELS, "."]], "wheel")


def install(environment: Environment, keep: bool, shared: "Future[bool] | None" = None) -> bool:
    """Make it anew, unless it may be kept and its requirements are those of now. Waits for what it shares."""
    if shared and not shared.result():
        return False
    stamp, requirements = environment.folder / "requirements", (ROOT / "pyproject.toml").read_text()
    if keep and stamp.exists() and stamp.read_text() == requirements:
        return True
    venv: Command = [environment.interpreter, "-m", "venv", "--clear", "--without-pip", environment.folder]
    if not run([venv], environment.name):
        return False
    if environment.shares:
        (packages,) = environment.folder.glob("lib/*/site-packages")
        (others,) = environment.shares.folder.glob("lib/*/site-packages")
        (packages / "shared.pth").write_text(f"{others}\n")
    fine = run(environment.setup(), environment.name)
    stamp.write_text(requirements if fine else "")
    return fine


# Checks


def checks_of(environment: Environment, arguments: list[str]) -> list[Check]:
    pytest: Command = [environment.python, "-m", "pytest", "--durations=15"]
    if "--quick" in arguments:
        return [*static_checks(environment), Check("quick", environment, [*pytest, *QUICK])]
    if arguments:
        return [Check(" ".join(arguments), environment, [*pytest, *arguments])]
    if environment.extras:
        return [Check("devices", environment, [*pytest, *ON_ABSENT_DEVICES])]
    if environment.jax:
        return [Check("older", environment, [*pytest, *ON_OLDER_JAX])]
    shards = [Check(title, environment, [*pytest, *folders]) for title, folders in SHARDS.items()]
    if environment.interpreter == Path(sys.executable):  # pages are the same in all environments
        shards.append(Check("pages", environment, [*pytest, "tests/browser"]))
    return [*shards, *static_checks(environment)]


def static_checks(environment: Environment) -> list[Check]:
    """Types are those of the JAX that is installed; formatting is the same in all environments."""
    checks = [Check("mypy", environment, [environment.python, "-m", "mypy"])]
    if environment.interpreter == Path(sys.executable):
        ruff: Command = [environment.python, "-m", "ruff"]
        checks += [Check("ruff check", environment, [*ruff, "check", "."])]
        checks += [Check("ruff format", environment, [*ruff, "format", "--check", "."])]
    return checks


RANKS = ("e2e", "integration", "devices", "older", "unit, contract", "pages", "other")
"""Longest first, so that no processor is left with a long one at the end."""


def rank(check: Check) -> str:
    return check.title if check.title in RANKS else "other"


def run_side_by_side(checks: list[Check], setups: Setups) -> None:
    """One more than there are processors: a check often waits, and the last one would run alone."""
    with ThreadPoolExecutor(processors() + 1) as pool:
        list(pool.map(lambda check: carry_out(check, setups[check.environment]), checks))


def carry_out(check: Check, ready: "Future[bool]") -> None:
    if not ready.result():
        return
    began = time.monotonic()
    check.passed = run([check.command], f"{check.environment.name}: {check.title}")
    check.seconds = time.monotonic() - began


def processors() -> int:
    return max(2, os.cpu_count() or 1)


_PRINTING = threading.Lock()


def run(commands: Sequence[Command], title: str) -> bool:
    """Run them one after the other, as far as they succeed; print what they say at the end, in one piece. It
    can be read as it comes, too, in a log below `.venv-test`.
    """
    name = re.sub(r"[^\w.]+", "-", title)
    log = ENVIRONMENTS / f"{name}.log"
    log.parent.mkdir(exist_ok=True)
    with log.open("w") as stream:
        passed = all(_succeeds(command, stream) for command in commands)
    with _PRINTING:
        print(f"\n=== {title}\n{log.read_text()}", flush=True)
    return passed


def _succeeds(command: Command, stream: TextIO) -> bool:
    stream.write(f"$ {' '.join(map(str, command))}\n")
    stream.flush()
    done = subprocess.run(
        command, cwd=ROOT, check=False, stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT
    )
    if done.returncode:
        stream.write(f"exit code {done.returncode}\n")
    return done.returncode == 0


def summarize(setups: Setups, checks: list[Check], seconds: float) -> int:
    """A line for each check; the exit code."""
    spent = os.times()
    busy = (spent.children_user + spent.children_system) / (seconds * processors())
    print(f"\n=== Summary: {seconds:.0f} s, the processors busy for {busy:.0%} of it")
    for environment, ready in setups.items():
        if not ready.result():
            print(f"FAILED  {environment.name}: setup")
    for check in checks:
        verdict = "passed" if check.passed else "FAILED"
        print(f"{verdict}  {check.environment.name}: {check.title}  ({check.seconds:.0f} s)")
    return int(not all(ready.result() for ready in setups.values()) or not all(one.passed for one in checks))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
