"""What `jaxapi.version` reads of the JAX that is here, before it is imported and after."""

import subprocess
import sys

import jax
import pytest

from jitinspect.errors import UnavailableError
from jitinspect.jaxapi import version


def test_the_version_is_known_without_an_import():
    program = "import sys; from jitinspect.jaxapi.version import installed; print(installed(), *sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    told, *modules = ran.stdout.split()
    assert told == jax.__version__ and "jax" not in modules


def test_this_jax_is_one_of_those_that_work():
    version.import_jax()
    assert version.OLDEST <= jax.__version_info__[:2] <= version.NEWEST
    assert version.why_untested() is None and version.too_new(TypeError("a fault")) is None


@pytest.mark.parametrize("old", ["0.7.2", "0.4.38", "0.7.0.dev20250801+abc"])
def test_an_older_one_is_refused(old):
    with pytest.raises(UnavailableError, match=rf"jax {old[:3]}.* is too old for jitinspect"):
        version.refuse_too_old(old)


@pytest.mark.parametrize("fine", [None, "0.8.0", "0.13.0.dev20261001", "1.0"])
def test_no_other_is(fine):
    version.refuse_too_old(fine)


def test_a_newer_one_is_told_where_something_fails_and_not_before(monkeypatch):
    monkeypatch.setattr(jax, "__version__", "0.13.1")
    version.import_jax()
    told = version.too_new(AttributeError("module 'jax' has no attribute 'x'"))
    assert told.exit_code == 6 and told.message.endswith("AttributeError: module 'jax' has no attribute 'x'")
    assert told.message.startswith("jax 0.13.1 is newer") and told.hint == "pip install 'jax<0.13'"
