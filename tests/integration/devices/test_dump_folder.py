"""When a dump is complete, and what is read of one, on folders as the compilers leave them."""

import pytest

from jitinspect.devices.dump_folder import Watch, read
from jitinspect.errors import UnavailableError

HLO = "HloModule jit_f\n\nENTRY %main {\n}\n"
TPU = "module_0000.jit_f.cl_93.after_optimizations"
CUDA = "module_0001.jit_f.sm_9.0a_gpu_after_optimizations"
PARTS = {".txt": HLO, "-buffer-assignment.txt": "buffers", "-live-range.txt": "ranges"}


def written(folder, begin, endings=tuple(PARTS)):
    for ending in endings:
        (folder / f"{begin}{ending}").write_text(PARTS[ending])


@pytest.mark.parametrize("begin", [TPU, CUDA])
def test_the_texts_of_a_module_are_read(tmp_path, begin):
    written(tmp_path, begin)
    (tmp_path / begin.replace("jit_f", "jit_g")).with_suffix(".txt").write_text("of another")
    texts = read(tmp_path, "jit_f")
    assert (texts.hlo, texts.assignment, texts.live_ranges) == (HLO, "buffers", "ranges")


def test_of_a_compiler_that_stopped_before_there_is_nothing(tmp_path):
    assert read(tmp_path, "jit_f").hlo == ""


def test_a_text_that_is_cut_off_is_none(tmp_path):
    written(tmp_path, TPU)
    (tmp_path / f"{TPU}.txt").write_text(HLO[:20])
    with pytest.raises(UnavailableError, match="incomplete"):
        read(tmp_path, "jit_f")


def test_a_tpus_dump_is_complete_when_the_program_fits(tmp_path):
    watch = Watch(tmp_path, "tpu")
    written(tmp_path, TPU)
    assert not watch.is_complete() and not watch.is_complete()
    (tmp_path / f"{TPU}_after_buffer_assignment.txt").write_text(HLO)
    assert watch.is_complete()


def test_a_gpus_dump_is_complete_when_it_no_longer_grows(tmp_path):
    watch = Watch(tmp_path, "cuda")
    written(tmp_path, CUDA, (".txt", "-live-range.txt"))
    assert not watch.is_complete() and not watch.is_complete()
    written(tmp_path, CUDA, ("-buffer-assignment.txt",))
    assert not watch.is_complete()
    (tmp_path / f"{CUDA}.txt").write_text(HLO * 2)
    assert not watch.is_complete()
    assert watch.is_complete()
