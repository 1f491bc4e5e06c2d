"""The pytest plugin: a test that compiles too often fails and says why; unused, it does nothing."""

import sys

TESTS = """
import jax, numpy as np, pytest

@jax.jit
def step(x):
    return x + 1

@pytest.mark.max_compiles(3)
def test_within():
    for n in (3, 4, 5):
        step(np.ones(n))

@pytest.mark.max_compiles(1)
def test_above():
    for n in (6, 7):
        step(np.ones(n))

@pytest.mark.max_compiles(1, function="other")
def test_of_another_function():
    for n in (8, 9):
        step(np.ones(n))

@pytest.mark.max_compiles("many")
def test_with_a_mistake():
    pass

@pytest.mark.max_compiles(0)
def test_that_fails_by_itself():
    assert step(np.ones(10)).sum() == 0

def test_of_the_fixture(compile_log):
    step(np.ones(11))
    step(np.ones(11))
    (call,) = compile_log.calls
    assert (call.function, call.signature, compile_log.compilations) == ("step", "step(f32[11])", 1)

@pytest.mark.max_compiles(1)
def test_of_both(compile_log):
    step(np.ones(12))
    assert compile_log.compilations == 1
"""


def pytest_run(shell, *arguments):
    return shell.run([sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", *arguments])


def test_a_test_that_compiles_too_often_fails_and_says_why(shell):
    shell.write("test_it.py", TESTS)
    told = pytest_run(shell, "test_it.py").stdout
    assert "3 failed, 4 passed" in told
    assert "max_compiles(1): 2 compilations" in told
    assert "test_it.py:16: step(f32[7]): x: f32[6] → f32[7]" in told
    assert "@pytest.mark.max_compiles(number, function=None): 'many' is not a number" in told
    assert "assert Array(" in told and "max_compiles(0):" not in told  # its own failure goes before


def test_unused_it_imports_no_jax_and_is_known_to_strict_markers(shell):
    body = "import sys\ndef test_it():\n    assert 'jax' not in sys.modules\n"
    shell.write("test_it.py", body)
    assert pytest_run(shell, "--strict-markers", "-p", "no:jaxtyping", "test_it.py").returncode == 0
    assert "@pytest.mark.max_compiles(number, function=None)" in pytest_run(shell, "--markers").stdout
    assert "compile_log" in pytest_run(shell, "--fixtures", "test_it.py").stdout
