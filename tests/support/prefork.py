"""The installed command, started by a fork of a process that has imported it, so that each start is cheap.

`Prefork(command)` starts such a process when it is first needed; it becomes the command by running its very
script, with the arguments, environment, folder and streams of the call, and ends without taking apart what it
shares with the others. Settings that JAX reads from the environment when it is imported are given to that
process. What depends on how the interpreter itself starts or ends (imports, signals) needs one of its own.
"""

import atexit
import functools
import gc
import importlib
import json
import os
import pkgutil
import runpy
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import NoReturn

import jax


class Prefork:
    """Starts `command`, a Python script, again and again, where `settings` stood in the environment."""

    def __init__(self, command: Path, **settings: str) -> None:
        self.command, self._settings = command, settings
        self._folder = tempfile.TemporaryDirectory(prefix="prefork-")
        self._address = str(Path(self._folder.name) / "socket")
        self._server: subprocess.Popen[str] | None = None

    def run(
        self,
        arguments: list[str],
        folder: Path,
        environ: dict[str, str],
        timeout: float,
        merged: bool = False,
    ) -> subprocess.CompletedProcess[str]:
        """What `subprocess.run` gives, with what was written to stdout and stderr; `merged` is `2>&1`."""
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            request = {"argv": [str(self.command), *arguments], "folder": str(folder), "environ": environ}
            code = self._ask(request, [out.fileno(), out.fileno() if merged else err.fileno()], timeout)
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(request["argv"], code, out.read(), err.read())

    def _ask(self, request: dict[str, object], streams: list[int], timeout: float) -> int:
        self._start()
        with socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(timeout)
            asking.connect(self._address)
            message = json.dumps(request).encode()
            socket.send_fds(asking, [len(message).to_bytes(8, "big")], streams)
            asking.sendall(message)
            return int(asking.makefile().readline())

    def _start(self) -> None:
        if self._server is None:
            program = [sys.executable, __file__, self._address]
            environ = {**os.environ, **self._settings}
            self._server = subprocess.Popen(
                program, stdout=subprocess.PIPE, text=True, env=environ, cwd=self._folder.name
            )  # where JAX, too, may keep what it compiles
            assert self._server.stdout is not None and self._server.stdout.readline() == "ready\n"

    def close(self) -> None:
        """Ends the process; what it has started has ended before."""
        if self._server is not None:
            self._server.kill()
            self._server.communicate()
        self._folder.cleanup()


@functools.cache
def prefork(**settings: str) -> Prefork:
    """That of the installed command: one for all tests of this process with these settings."""
    started = Prefork(Path(sys.executable).with_name("jitinspect"), **settings)
    atexit.register(started.close)
    return started


def printed(arguments: list[str], folder: Path, flags: str | None = None) -> str:
    """What the command prints in a folder, forked, in the environment of the tests but for `XLA_FLAGS`."""
    environ = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
    environ |= {} if flags is None else {"XLA_FLAGS": flags}
    finished = prefork().run(arguments, folder, environ, timeout=300)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def serve(address: str) -> dict[str, object]:
    """Fork for each request; return it in the child."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    os.write(1, b"ready\n")
    while True:
        asked, _ = listener.accept()
        size, streams, _, _ = socket.recv_fds(asked, 8, 2)
        request: dict[str, object] = json.loads(asked.makefile("rb").read(int.from_bytes(size, "big")))
        child = os.fork()
        if child == 0:
            listener.close()
            asked.close()
            for stream, number in zip(streams, (1, 2), strict=True):
                os.dup2(stream, number)
                os.close(stream)
            return request
        for stream in streams:
            os.close(stream)
        _, status = os.waitpid(child, 0)
        with asked:
            asked.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


def become(argv: list[str], folder: str, environ: dict[str, str]) -> NoReturn:
    """Run the script `argv[0]` as `python` would have started it, and end."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv[:] = argv
    sys.path[0] = os.path.dirname(argv[0])
    importlib.reload(sys.modules["jitinspect.process.paths"])  # which keeps the folder that it starts in
    code: object = 0
    try:
        runpy.run_path(argv[0], run_name="__main__")
    except SystemExit as asked:
        code = asked.code or 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    leave(code if isinstance(code, int) else 1)


def leave(code: int) -> NoReturn:
    """End as an interpreter does, but leave its modules as they are: to take them apart would first copy each
    page of them that is still shared.
    """
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and not stream.closed:
            stream.flush()
    os._exit(code)


def warm_up() -> None:
    """Import what the commands import, but for the module that looks at the command line; start nothing: a
    backend does not live through a fork.
    """
    import typer

    import jitinspect

    for module in pkgutil.walk_packages(jitinspect.__path__, "jitinspect."):
        if not module.name.endswith((".__main__", ".cli.main", ".pytest_plugin")):
            importlib.import_module(module.name)
    app = typer.Typer(rich_markup_mode=None)
    app.command()(lambda: None)
    app([], standalone_mode=False)
    import_what_compiling_imports()


def import_what_compiling_imports() -> None:
    """Import what JAX imports when it first compiles: a child compiles, and tells. Here no backend starts."""
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        before = {*sys.modules}
        jax.jit(lambda x: x)(1.0)
        os.write(writer, "\n".join(name for name in sys.modules if name not in before).encode())
        os._exit(0)
    os.close(writer)
    with open(reader) as told:
        names = told.read().split()
    os.waitpid(child, 0)
    for name in names:
        importlib.import_module(name)


if __name__ == "__main__":
    warm_up()
    gc.freeze()  # a collection in a child would copy every page that it looks at
    become(**serve(sys.argv[1]))  # type: ignore[arg-type]
