"""The installed command, run as a user runs it: from a folder that holds what the test puts there."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import compiling
from tests.support.prefork import prefork

ROOT = Path(__file__).resolve().parent.parent.parent
COMMAND = Path(sys.executable).with_name("jitinspect")
TIMEOUT = 300
UNOPTIMIZED = {"XLA_FLAGS": compiling.UNOPTIMIZED}
CHEAPEST = {"XLA_FLAGS": compiling.CHEAPEST}

JUST_AFTER_JAX = {
    "jaxpr", "stablehlo", "hlo", "llvm", "asm", "key", "show", "explore", "doctor", "trace-cache",
    "source", "diff", "cost", "fit", "sharding", "collectives", "donation", "constants", "passes",
    "compile-time", "profile", "export",
}  # fmt: skip
"""Commands that import jax before they do anything with it: a fork behind that import may start them."""
WITHOUT_JAX = {"view", "summary", "ls", "cache"}
"""Commands that need no jax: that they import none, other tests see to."""
KEEPING = {"JAX_COMPILATION_CACHE_DIR": "cache", "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
"""With these, JAX keeps all that it compiles in a folder beside the program. Many commands are run with them:
a process that has imported jax with them may be forked, too.
"""
HARMLESS = {"COLUMNS", "NO_COLOR", "FORCE_COLOR", "TERM", "PATH", "PYTEST_CURRENT_TEST", "XLA_FLAGS"}
"""What no import looks at."""


class Shell:
    """A folder of the user's, and the command in it."""

    command = COMMAND
    interpreter = sys.executable

    def __init__(self, folder: Path, **environ: str) -> None:
        self.folder = folder
        kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
        self.environ = {
            **kept,
            "PATH": f"{COMMAND.parent}{os.pathsep}{os.environ['PATH']}",
            "TERM": "xterm-256color",
            **environ,
        }

    def __call__(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        if self._may_fork([*arguments], environ):
            return self.forked(*arguments, **environ)
        return self.run([str(COMMAND), *arguments], **environ)

    def _may_fork(self, arguments: list[str], environ: dict[str, str]) -> bool:
        """Whether a fork may become the command: of a process that has imported jax and all of jitinspect in
        the environment of the tests, or with `KEEPING` there.
        """
        return bool(arguments) and arguments[0] in JUST_AFTER_JAX | WITHOUT_JAX and self._is_ours(environ)

    def _is_ours(self, environ: dict[str, str]) -> bool:
        asked = {**self.environ, **environ}
        ours = {**os.environ, **self._settings(asked)}
        return {name for name in {*asked, *ours} if asked.get(name) != ours.get(name)} <= HARMLESS

    @staticmethod
    def _settings(environ: dict[str, str]) -> dict[str, str]:
        """`KEEPING`, or none: those that a process to be forked must have had."""
        return KEEPING if environ.items() >= KEEPING.items() else {}

    def forked(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """The command in such a fork, where `run` finds jax imported: for tests of what it tells, not of how
        the program starts and ends.
        """
        assert self._is_ours(environ), environ
        asked = {**self.environ, **environ}
        return prefork(**self._settings(asked)).run([*arguments], self.folder, asked, TIMEOUT)

    def typed(self, line: str) -> subprocess.CompletedProcess[str]:
        """A plain command line, without pipes and the like; stderr goes where stdout does."""
        command, *arguments = shlex.split(line)
        if command == COMMAND.name and self._may_fork(arguments, {}):
            warm = prefork(**self._settings(self.environ))
            return warm.run(arguments, self.folder, self.environ, TIMEOUT, merged=True)
        return self.sh(f"{line} 2>&1")

    def python(self, program: str) -> str:
        """What plain Python prints: what the command is held against."""
        finished = self.run([sys.executable, "-c", program])
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    def sh(self, line: str) -> subprocess.CompletedProcess[str]:
        return self.run(["bash", "-c", line])

    def run(self, command: list[str], **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.folder,
            env={**self.environ, **environ},
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT,
        )

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    shutil.copytree(ROOT / "samples", tmp_path / "samples")
    return Shell(tmp_path)
