"""`doctor` as text: what can be compiled for, and what to type for the rest."""

from jitinspect.model import Diagnosis, Environment, TargetSupport
from jitinspect.render.tables import diagnosis

ENVIRONMENT = Environment("1", "0.10.2", "0.10.2", "3.11", "cpu", "cpu", 1, "")
INSTALL = "pip install 'jitinspect[cuda]' 'jax==0.10.2'"


def target(name, why=None):
    return TargetSupport(name, "cuda", f"NVIDIA {name}", 10**10, why is None, why, INSTALL if why else None)


def shown(*targets, width=80):
    return diagnosis(Diagnosis(ENVIRONMENT, ("cpu:0",), None, {}, (), targets), color=False, width=width)


def test_a_row_says_what_the_device_is_and_whether_it_can_be_compiled_for():
    lines = shown(target("h100"), target("v100", "too old")).splitlines()
    rows = [" ".join(line.split()) for line in lines]
    assert "--target h100 yes NVIDIA h100, 10.0 GB" in rows
    assert "--target v100 no NVIDIA v100, 10.0 GB" in rows


def test_the_line_to_type_is_whole_however_narrow_the_terminal():
    text = shown(target("v100", "too old"), width=30)
    assert text.endswith(f"\n\nTo compile for v100 (too old):\n  {INSTALL}\n")


def test_it_is_told_once_for_all_that_need_it():
    text = shown(*(target(name, "not installed") for name in ("p100", "v100", "h100")))
    assert text.count(INSTALL) == 1 and "To compile for p100 to h100 (not installed):" in text


def test_nothing_is_to_be_typed_where_nothing_is_missing():
    assert "To compile" not in shown(target("h100")) and shown().endswith("\n")


def test_what_jax_does_not_say_of_its_cache_folder():
    told = Diagnosis(ENVIRONMENT, (), "/cache", {}, (), (), ("nothing is cached: it is full",))
    assert diagnosis(told, color=False, width=80).endswith("\ncache folder: nothing is cached: it is full\n")
