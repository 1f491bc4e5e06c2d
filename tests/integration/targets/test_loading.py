"""Targets: what a ref loads, and what the errors say."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from jitinspect.errors import LoadError, UsageError
from jitinspect.targets.loading import load, parse_ref


def line_of(path: Path, text: str) -> int:
    return next(n for n, line in enumerate(path.read_text().splitlines(), 1) if text in line)


# refs


@pytest.mark.parametrize(
    ("ref", "parts"),
    [
        ("mod:fn", ("mod", "fn")),
        ("pkg.mod:Class.method", ("pkg.mod", "Class.method")),
        ("path/to/file.py:fn", ("path/to/file.py", "fn")),
        ("C:\\work\\file.py:fn", ("C:\\work\\file.py", "fn")),
    ],
)
def test_parse_ref(ref, parts):
    assert parse_ref(ref) == parts


@pytest.mark.parametrize(
    "ref", ["", "mod", "mod:", ":fn", "mod:a b", "mod:3", "mod:f()", "my-mod:fn", "mod:.f"]
)
def test_not_a_ref(folder, ref):
    with pytest.raises(UsageError) as caught:
        parse_ref(ref)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("ref", "hint"),
    [
        ("lib.py", "lib.py:one, lib.py:two"),
        ("lib", "lib:one, lib:two"),
        ("lib.two", "did you mean lib:two?"),
        ("elsewhere", "elsewhere:FUNCTION, or path/to/file.py:FUNCTION"),
    ],
)
def test_a_ref_without_colon_is_answered_with_candidates(write, ref, hint):
    write("lib.py", "import os\ndef one(): ...\ntwo = one\nclass Three: ...\nraise SystemExit")
    with pytest.raises(UsageError, match="does not name a function") as caught:
        parse_ref(ref)
    assert caught.value.hint == hint


def test_a_plain_module_is_loaded_without_jax(write):
    write("plainmod.py", "def fn(): ...")
    code = (
        "import sys, jitinspect.targets.transforms, jitinspect.targets.listing;"
        "from jitinspect.targets.loading import load;"
        "load('plainmod:fn'); jitinspect.targets.listing.ls('plainmod'); sys.exit('jax' in sys.modules)"
    )
    root = Path(__file__).parents[3]
    assert subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(root)}).returncode == 0


# loading


@pytest.mark.parametrize(
    ("qualname", "line"),
    [
        ("plain", "def plain"),
        ("step", "@jax.jit"),
        ("powered", '"n", donate'),
        ("wrapped", "@decorated"),
        ("bound", '"n", donate'),
        ("over", "def plain"),
        ("Model.plain", "def plain(self"),
        ("model.plain", "def plain(self"),
        ("model.step", "static_argnums=0"),
        ("stepper", "def __call__"),
        ("stepper.twice", "def twice"),
        ("stepper.fast", "@eqx.filter_jit"),
        ("linear.fast", "@nnx.jit"),
        ("powered.__wrapped__", '"n", donate'),
    ],
)
def test_load_finds_where_the_function_is(funcs, qualname, line):
    loaded = load(f"funcs:{qualname}")
    assert (loaded.module, loaded.qualname) == ("funcs", qualname)
    assert (loaded.file, loaded.line) == (str(funcs), line_of(funcs, line))


def test_load_without_python_source(funcs):
    loaded = load("funcs:length")
    assert (loaded.object, loaded.file, loaded.line) == (len, None, None)


def test_a_file_is_imported_with_its_neighbours(write):
    write("a/b/neighbour.py", "def helper(): return 1")
    write("a/b/main.py", "import neighbour\ndef fn(): return neighbour.helper()")
    loaded = load("a/b/main.py:fn")
    assert loaded.module == "main"
    assert loaded.object() == 1


def test_a_file_in_a_package_has_its_packages_name(write):
    write("a/pkg/__init__.py", "")
    write("a/pkg/sub/__init__.py", "")
    write("a/pkg/sub/mod.py", "from .. import other\ndef fn(): return other.VALUE")
    write("a/pkg/other.py", "VALUE = 7")
    loaded = load("a/pkg/sub/mod.py:fn")
    assert loaded.module == "pkg.sub.mod"
    assert loaded.object() == 7
    assert load("a/pkg/sub/mod.py:fn").object is loaded.object


@pytest.mark.parametrize("name", ["json.py", "my-model.py", "__main__.py"])
def test_a_file_whose_name_is_not_a_module_name_or_taken(write, name):
    path = write(
        f"a/{name}", "import dataclasses\n@dataclasses.dataclass\nclass C:\n  x: 'int'\ndef fn(): return 3"
    )
    loaded = load(f"a/{name}:fn")
    assert loaded.object() == 3
    assert loaded.file == str(path)
    assert load(f"a/{name}:fn").object is loaded.object
    assert importlib.import_module("json").dumps(1) == "1"


def test_the_current_folder_comes_first(write, folder):
    write("nowhere_else.py", "def fn(): ...")
    load("nowhere_else:fn")
    assert sys.path[0] == str(folder)
    load("nowhere_else:fn")
    assert sys.path.count(str(folder)) == 1


# what does not load


def load_error(ref: str) -> LoadError:
    with pytest.raises(LoadError) as caught:
        load(ref)
    assert caught.value.exit_code == 3
    return caught.value


@pytest.mark.parametrize(
    ("ref", "message", "hint"),
    [
        ("fnucs:plain", "no module named fnucs", "did you mean funcs?"),
        ("pkg.modle:fn", "no module named pkg.modle", "did you mean pkg.model?"),
        ("pkgg.model:fn", "no module named pkgg", "did you mean pkg?"),
        ("funcs.plain:fn", "no module named funcs.plain", "funcs is a module, not a package: funcs:plain"),
        ("qqqqzzzz:fn", "no module named qqqqzzzz", None),
        ("pkg/modle.py:fn", "no file pkg/modle.py", "did you mean pkg/model.py?"),
        ("pkg/model:fn", "no file pkg/model", "did you mean pkg/model.py?"),
        ("funcs:palin", "funcs has no 'palin'", "did you mean funcs:plain?"),
        ("funcs:Model.setp", "funcs:Model has no 'setp'", "did you mean funcs:Model.step?"),
        ("funcs:model.stpe", "funcs:model has no 'stpe'", "did you mean funcs:model.step?"),
        ("funcs:zzzz", "funcs has no 'zzzz'", "funcs:decorated, funcs:plain, funcs:step, funcs:powered"),
        ("funcs:Model", "funcs:Model is a class", "funcs:Model.free, or .plain, .static, .step"),
        ("funcs:SIZE", "funcs:SIZE is not callable: it is of type int", "jitinspect ls funcs"),
        ("funcs:jnp.linalg", "funcs:jnp.linalg is a module", "jax.numpy.linalg:"),
        ("pkg:model", "pkg:model is a module", "pkg.model:fn"),
    ],
)
def test_a_missing_name(funcs, write, ref, message, hint):
    write("pkg/__init__.py", "from . import model")
    write("pkg/model.py", "def fn(): ...")
    error = load_error(ref)
    assert error.message.startswith(message)
    assert (hint in error.hint) if hint else error.hint is None
    assert error.detail is None


def test_a_module_that_raises(write):
    path = write("raising.py", "def helper():\n    return {}['key']\n\nhelper()\n")
    error = load_error("raising:fn")
    assert error.message == "raising raised KeyError while it was imported"
    assert [line for line in error.detail.splitlines() if line.strip(" ~^")] == [
        "Traceback (most recent call last):",
        f'  File "{path}", line 4, in <module>',
        "    helper()",
        f'  File "{path}", line 2, in helper',
        "    return {}['key']",
        "KeyError: 'key'",
    ]


def test_a_module_with_a_missing_import(write):
    path = write("importing.py", "import not_installed.at_all")
    error = load_error("importing:fn")
    assert error.message == "importing imports not_installed, which was not found"
    assert f'File "{path}", line 1' in error.detail
    assert "importlib" not in error.detail and "jitinspect" not in error.detail
    assert "importing.py imports not_installed, which was not found" in load_error("importing.py:fn").message


def test_a_module_that_exits(write):
    path = write("exiting.py", "import sys\nsys.exit(3)")
    error = load_error("exiting:fn")
    assert error.message == "exiting called sys.exit(3) while it was imported"
    assert "__main__" in error.hint
    assert f'File "{path}", line 2' in error.detail


@pytest.mark.parametrize("ref", ["bad:fn", "bad.py:fn", "outer:fn"])
def test_a_module_that_does_not_parse(write, ref):
    path = write("bad.py", "x = 1\ndef fn(:\n")
    write("outer.py", "import bad")
    error = load_error(ref)
    assert error.message == f"{path}:2: invalid syntax"
    assert "    def fn(:\n           ^\n" in error.detail
    assert ("outer.py" in error.detail) == (ref == "outer:fn")


def test_an_attribute_that_raises(funcs):
    error = load_error("funcs:model.broken")
    assert error.message == "funcs:model raised ZeroDivisionError when asked for 'broken'"
    assert str(funcs) in error.detail


def test_keyboard_interrupt_passes_through(write):
    write("interrupted.py", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        load("interrupted:fn")


def test_a_file_that_failed_is_not_left_half_imported(write):
    path = write("half-done.py", "raise ValueError")
    load_error("half-done.py:fn")
    path.write_text("def fn(): return 1")
    assert load("half-done.py:fn").object() == 1
