"""How a watched program is started, how it ends, and the marks that it sets."""

import subprocess
import sys
from pathlib import Path

import pytest

from jitinspect.errors import LoadError
from jitinspect.process import marks, runner


def test_listeners_are_called_with_a_mark(monkeypatch):
    heard = []
    marks.mark("nobody listens")
    monkeypatch.setattr(marks, "listeners", [heard.append, lambda name: marks.listeners.clear()])
    marks.mark("warm")
    marks.mark("later")
    assert heard == ["warm"] and marks.listeners == []


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The current folder; modules that are imported from it are forgotten."""
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


def file(path, text):
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


PRINTING = (
    "import sys; print(__name__, __file__, sys.argv, sys.path[0], __package__, __spec__ and __spec__.name)\n"
)


def as_python(home, *words):
    return subprocess.run([sys.executable, *words], cwd=home, capture_output=True, text=True, check=False)


def test_a_script_is_run_as_python_would(home, capsys):
    file(home / "deep" / "train.py", PRINTING)
    before = sys.argv, list(sys.path), sys.modules["__main__"]
    outcome = runner.run(runner.script(Path("deep/train.py")), ("--lr", "1"))
    output = capsys.readouterr().out.replace(str(home / "deep" / "train.py"), "FILE")
    assert outcome == runner.Outcome() and output.startswith("__main__ FILE ['deep/train.py', '--lr', '1']")
    assert output == as_python(home, "deep/train.py", "--lr", "1").stdout.replace(
        str(home / "deep" / "train.py"), "FILE"
    )
    assert before == (sys.argv, sys.path, sys.modules["__main__"])


@pytest.mark.parametrize(("name", "file_of"), [("pkg", "__main__.py"), ("pkg.train", "train.py")])
def test_a_module_is_run_as_python_would(home, capsys, name, file_of):
    file(home / "pkg" / "__init__.py", "")
    file(home / "pkg" / file_of, PRINTING)
    before = list(sys.path)
    outcome = runner.run(runner.module(name), ("x",))
    output = capsys.readouterr().out
    assert outcome == runner.Outcome() and output == as_python(home, "-m", name, "x").stdout
    assert f"{home}/pkg/{file_of}" in output and sys.path == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\nx = = 1\n", "bad.py:2: invalid syntax"),
        ("x = '\0'", "null bytes"),
        (None, "bad.py cannot be read"),
    ],
)
def test_a_script_that_cannot_be_compiled_is_an_error(home, text, message):
    if text is not None:
        file(home / "bad.py", text)
    with pytest.raises(LoadError, match=message):
        runner.script(Path("bad.py"))


def test_a_syntax_error_has_its_caret(home):
    with pytest.raises(LoadError) as caught:
        runner.script(file(home / "bad.py", "x = = 1\n"))
    assert "^" in caught.value.detail and "jitinspect" not in caught.value.detail


@pytest.mark.parametrize(
    "name", ["no_such_module", "pkg", "pkg.none", "sys", "os.path.x", "", ".pkg", "pkg..x"]
)
def test_what_is_not_a_module_to_run_is_an_error(home, name):
    file(home / "pkg" / "__init__.py", "")
    with pytest.raises(LoadError, match=r"^-m "):
        runner.module(name)


def test_a_package_with_a_missing_import_is_an_error(home):
    file(home / "pkg" / "__init__.py", "import no_such_module\n")
    with pytest.raises(LoadError, match="No module named 'no_such_module'"):
        runner.module("pkg.train")


@pytest.mark.parametrize("broken", ["pkg/train.py", "pkg/__init__.py"])
def test_a_module_that_cannot_be_loaded_is_the_users_mistake(home, broken):
    for name in ("pkg/__init__.py", "pkg/train.py"):
        file(home / name, "")
    file(home / broken, "x = = 1\n" if broken.endswith("train.py") else "raise RuntimeError('no')\n")
    with pytest.raises(LoadError):
        runner.module("pkg.train")


def test_a_package_may_add_to_the_search_path(home):
    file(home / "vendored" / "inner_thing.py", "")
    file(home / "pkg" / "__init__.py", "import sys\nsys.path.insert(0, 'vendored')\n")
    file(home / "pkg" / "__main__.py", "import inner_thing\n")
    assert as_python(home, "-m", "pkg").returncode == 0
    assert runner.run(runner.module("pkg")) == runner.Outcome()


RAISING = """
def inner():
    raise ValueError("no")

try:
    inner()
except ValueError as error:
    raise KeyError("outer") from error
"""


def test_an_exception_is_printed_as_by_python(home, capsys):
    path = file(home / "raises.py", RAISING)
    outcome = runner.run(runner.script(path), (), runner.call_excepthook)
    assert outcome == runner.Outcome(1, "the program raised KeyError")
    assert capsys.readouterr().err == as_python(home, str(path)).stderr


def test_the_programs_own_excepthook_is_called(home, capsys):
    hook = "import sys\nsys.excepthook = lambda kind, error, traced: print(kind, traced.tb_lineno)\n"
    before = sys.excepthook
    runner.run(runner.script(file(home / "hook.py", f"{hook}raise ValueError\n")), (), runner.call_excepthook)
    assert capsys.readouterr().out == "<class 'ValueError'> 3\n" and sys.excepthook is before


@pytest.mark.parametrize(
    ("text", "code", "stopped", "err"),
    [("", 0, None, ""), ("exit()", 0, None, ""), ("exit(0)", 0, None, ""), ("exit(False)", 0, None, ""),
     ("exit(3)", 3, "the program called sys.exit(3)", ""),
     ("exit('bad')", 1, "the program called sys.exit('bad')", "bad\n"),
     ("exit('')", 1, "the program called sys.exit('')", "\n"),
     ("raise KeyboardInterrupt", 130, "interrupted", "")],
)  # fmt: skip
def test_a_program_ends_as_it_would(home, capsys, text, code, stopped, err):
    path = file(home / "ends.py", f"from sys import exit\n{text}\n")
    assert runner.run(runner.script(path)) == runner.Outcome(code, stopped)
    assert capsys.readouterr().err == err
    if code != 130:
        assert as_python(home, str(path)).returncode == code
