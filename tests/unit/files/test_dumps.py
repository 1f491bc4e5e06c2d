"""Which modules are in a folder of XLA's dumps."""

import pytest

from jitinspect.errors import LoadError
from jitinspect.files.dumps import chosen, listing_of, modules_in

OF_STEP = (
    "before_optimizations.txt",
    "0004.simplification.after_dce.before_cse.txt",
    "cpu_after_optimizations.txt",
    "cpu_after_optimizations-buffer-assignment.txt",
    "cpu_after_optimizations-buffer-assignment-values.txt",
    "cpu_after_optimizations-live-range.txt",
    "kernel_module.ir-with-opt.ll",
)


@pytest.fixture
def folder(tmp_path):
    for ending in OF_STEP:
        (tmp_path / f"module_0004.jit_step.{ending}").write_text("  a = b\n" * 20)
    (tmp_path / "module_0000.jit_iota.before_optimizations.txt").write_text("  a = b\n")
    (tmp_path / "1700000000.module_0002.jit_a.b.before_optimizations.txt").write_text("")
    (tmp_path / "1700000000.module_0002.jit_a.b.sm_9.0_gpu_after_optimizations.txt").write_text("")
    (tmp_path / "module_0006.jit_proto.cpu_after_optimizations.hlo.pb").write_bytes(b"x")
    (tmp_path / "notes.txt").write_text("not of XLA")
    (tmp_path / "module_0004.jit_step").mkdir()
    return tmp_path


def test_the_files_of_each_module_are_found(folder):
    found = modules_in(folder)
    assert [(one.number, one.name) for one in found] == [
        (0, "jit_iota"), (2, "jit_a.b"), (4, "jit_step"), (6, "jit_proto"),
    ]  # fmt: skip
    step = found[2]
    assert len(step.files) == len(OF_STEP)
    endings = {"after": 2, "before": 0, "assignment": 3, "live_ranges": 5}
    for what, at in endings.items():
        assert step.find(what).name.endswith(f"jit_step.{OF_STEP[at]}")
    assert found[1].find("after").name.endswith("gpu_after_optimizations.txt")
    assert step.find("after_proto") is None and found[3].find("after_proto") is not None


@pytest.mark.parametrize("name", ["jit_step", "step", "module_0004", "4", "module_0004.jit_step"])
def test_a_module_has_several_names(folder, name):
    assert chosen(folder, name).number == 4


def test_of_several_none_is_guessed(folder):
    for wanted, why in ((None, "holds 4 modules"), ("nope", "no module nope")):
        with pytest.raises(LoadError, match=why) as caught:
            chosen(folder, wanted)
        assert "module_0004.jit_step is the largest" in caught.value.hint


def test_only_one_needs_no_name(tmp_path):
    (tmp_path / "module_0001.jit_f.before_optimizations.txt").touch()
    assert chosen(tmp_path, None).called == "module_0001.jit_f"


def test_a_listing_says_what_is_in_each(folder):
    rows = listing_of(f"{folder}/").dumps
    assert [(row.name, row.instructions, row.is_compiled) for row in rows] == [
        ("jit_iota", 1, False), ("jit_a.b", 0, True), ("jit_step", 20, True), ("jit_proto", None, True),
    ]  # fmt: skip
    assert rows[2].target == f"{folder}/:module_0004.jit_step"


def test_a_folder_without_dumps_says_how_to_write_them(tmp_path):
    with pytest.raises(LoadError, match="no dumps") as caught:
        modules_in(tmp_path)
    assert "--xla_dump_to=DIR" in caught.value.hint
