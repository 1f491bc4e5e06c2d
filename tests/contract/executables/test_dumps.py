"""What `executables.dumps` leans on: XLA's option and dump file names, and JAX's own record of its cache."""

import os
import re
import subprocess
import sys
import time
from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest
from jax._src import compilation_cache

from jitinspect.errors import CompileError, UnavailableError
from jitinspect.ir.readable_hlo import readable
from jitinspect.jaxapi.executables import dumps
from jitinspect.readings import pass_dumps
from jitinspect.stages.observer import Observer

VECTOR = jax.ShapeDtypeStruct((64,), jnp.float32)
OLDER = jax.__version_info__ < (0, 10)


@pytest.fixture
def cache_folder(tmp_path):
    """A persistent cache that takes everything, put back as it was."""
    wanted = {
        "jax_compilation_cache_dir": str(tmp_path / "cache"),
        "jax_persistent_cache_min_compile_time_secs": 0.0,
        "jax_persistent_cache_min_entry_size_bytes": -1,
    }
    before = {name: getattr(jax.config, name) for name in wanted}
    compilation_cache.reset_cache()
    for name, value in wanted.items():
        jax.config.update(name, value)
    yield tmp_path / "cache"
    for name, value in before.items():
        jax.config.update(name, value)
    compilation_cache.reset_cache()


def lowered(**options):
    def wave(x):
        return jnp.tanh(x * 2 + 1)

    return jax.jit(wave, **options).lower(VECTOR)


def entries(folder: Path) -> set[str]:
    return {file.name for file in folder.glob("*-cache")} if folder.exists() else set()


def test_a_dump_holds_ir_before_and_after_and_objects_and_is_then_removed():
    with dumps.dumped(lowered()) as dump:
        assert any("define" in module for module in dump.ir(optimized=True))
        assert any("define" in module for module in dump.ir(optimized=False))
        assert dump.ir(optimized=True) != dump.ir(optimized=False)
        assert dump.objects() and all(file.stat().st_size for file in dump.objects())
        assert "ENTRY" in dump.hlo
        assert dump.refused == ()
    assert not dump.folder.exists()


def test_a_dump_of_kernels_has_the_times_of_each_and_little_else():
    with dumps.kernels_dumped(lowered(), nullcontext) as (compiled, files):
        assert [one.path.suffix for one in files] == [".o"]
        (kernel,) = files
        suffixes = {path.suffix for path in kernel.path.parent.iterdir()}
        assert kernel.begun <= kernel.written <= time.time() and "wave" not in kernel.module
        assert any(kernel.module.startswith(symbol) for symbol in kernel.symbols() if symbol)
    has_ir = jax.__version_info__ < (0, 11)
    assert not suffixes & {".txt", ".pb"} and (".ll" in suffixes) == has_ir
    assert (kernel.begun < kernel.written) == has_ir and not kernel.path.exists()
    assert "ENTRY" in compiled.as_text()


def test_every_library_option_is_known():
    with dumps.dumped(lowered(), library=False) as dump:
        assert dump.refused == ()


def test_an_unknown_option_is_left_out_and_told(monkeypatch):
    monkeypatch.setitem(dumps.LIBRARY_OFF, "xla_cpu_no_such_option", True)
    with dumps.dumped(lowered(), library=False) as dump:
        assert dump.refused == ("xla_cpu_no_such_option",)
        assert dump.objects()


def test_an_unknown_option_of_the_users_own_is_a_compile_error():
    with (
        pytest.raises(CompileError, match="No such compile option: 'xla_users_own'"),
        dumps.dumped(lowered(compiler_options={"xla_users_own": True})),
    ):
        pass


def test_the_users_own_dump_option_gives_way(tmp_path):
    with dumps.dumped(lowered(compiler_options={"xla_dump_to": str(tmp_path)})) as dump:
        assert dump.objects()
    assert not list(tmp_path.rglob("*.o"))


def test_after_a_disk_hit_there_is_still_a_dump_and_no_new_entry(cache_folder):
    lowered().compile()
    before = entries(cache_folder)
    assert before
    for library in (True, False):
        with dumps.dumped(lowered(), library=library) as dump:
            assert dump.objects()
    assert entries(cache_folder) == before


def test_the_cache_works_as_before_where_the_dump_was_the_first_compilation(cache_folder):
    with dumps.dumped(lowered()) as dump:
        assert dump.objects()
    assert not entries(cache_folder)
    lowered().compile()
    assert entries(cache_folder)


def test_the_state_of_the_cache_is_put_back_where_the_body_raises():
    names = ("_cache_checked", "_cache_used")
    before = [getattr(compilation_cache, name) for name in names]
    with pytest.raises(ZeroDivisionError), dumps.persistent_cache_off():
        assert compilation_cache._cache_checked and not compilation_cache._cache_used
        raise ZeroDivisionError
    assert [getattr(compilation_cache, name) for name in names] == before


def test_a_jax_whose_cache_cannot_be_set_aside_is_refused_where_there_is_a_cache(monkeypatch, cache_folder):
    monkeypatch.setattr(dumps, "_CACHE", None)
    with pytest.raises(UnavailableError, match="set aside") as caught, dumps.dumped(lowered()):
        pass
    assert "JAX_ENABLE_COMPILATION_CACHE" in caught.value.hint
    jax.config.update("jax_compilation_cache_dir", None)
    with dumps.dumped(lowered()) as dump:
        assert dump.objects()


def test_no_option_of_jax_is_changed():
    before = dict(jax.config.values)
    with dumps.dumped(lowered(), library=False):
        pass
    assert dict(jax.config.values) == before


def test_platforms_of_a_lowering():
    traced = jax.jit(jnp.sin).trace(VECTOR)
    assert dumps.platforms(traced.lower()) == ("cpu",)
    assert dumps.platforms(traced.lower(lowering_platforms=("tpu",))) == ("tpu",)


def pair():
    """A function with tuples in its module: a loop over two arrays."""
    return jax.jit(lambda x: jax.lax.fori_loop(0, 5, lambda i, c: (c[1], jnp.sin(c[0])), (x, x))).lower(
        VECTOR
    )


def dumped_passes(lowered) -> list[tuple[str, str]]:
    """Each pass with the text after it, the module that XLA was given first."""
    with dumps.passes_dumped(lowered) as (folder, compiled):
        found = pass_dumps.in_order(path.name for path in folder.iterdir())
        texts = [(one.pass_, (folder / one.file).read_text()) for one in found]
    assert not folder.exists() and compiled.as_text()
    return texts


def test_every_pass_is_dumped_also_one_that_changes_nothing():
    texts = dumped_passes(pair())
    assert texts[0][0] == "before_optimizations" and texts[-1][0] == "after_optimizations"
    assert {"algsimp", "dce", "fusion", "copy-insertion", "pipeline-start"} <= {name for name, _ in texts}
    same = [name for (_, before), (name, after) in pairwise(texts) if before == after]
    assert "topk-decomposer" in same


def test_with_another_pattern_passes_that_change_nothing_are_left_out(monkeypatch):
    monkeypatch.setitem(dumps._PASS_OPTIONS, "xla_dump_hlo_pass_re", ".*")
    assert "topk-decomposer" not in {name for name, _ in dumped_passes(pair())}


def test_the_last_dump_is_the_compiled_module_without_metadata():
    """Not to the letter: the keys of a `backend_config` come in any order."""
    lowered = pair()
    texts = dumped_passes(lowered)
    assert not any("metadata=" in text or "FileNames" in text for _, text in texts)
    compiled = readable(lowered.compile().as_text())
    assert "get-tuple-element(" in compiled
    configs = re.compile(r"backend_config=.*")
    assert configs.sub("", readable(texts[-1][1])) == configs.sub("", compiled)


def test_scheduling_is_done_between_the_passes():
    texts = dumped_passes(pair())
    (scheduled,) = (
        name for (_, before), (name, after) in pairwise(texts) if "is_sch" in after and "is_sch" not in before
    )
    assert scheduled == ("after_optimizations" if OLDER else "pipeline-start")


def test_of_a_sharded_module_the_oldest_dump_is_the_functions_own():
    """XLA makes another module meanwhile, whose number is higher."""
    mesh = jax.make_mesh((1,), ("d",), axis_types=(jax.sharding.AxisType.Auto,))
    sharding = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("d"))
    argument = jax.ShapeDtypeStruct((64,), jnp.float32, sharding=sharding)
    assert "sine" in dumped_passes(jax.jit(jnp.sin).lower(argument))[-1][1]


def test_an_xla_that_cannot_leave_out_metadata_is_told(monkeypatch):
    monkeypatch.setitem(dumps._PASS_OPTIONS, "xla_dump_no_such_thing", True)
    monkeypatch.setattr(dumps, "_PASSES_NEED", ("xla_dump_no_such_thing",))
    with (
        pytest.raises(UnavailableError, match="xla_dump_no_such_thing"),
        dumps.passes_dumped(lowered()),
    ):
        pass


def test_what_xla_does_not_know_is_found_out_so_that_there_is_one_compilation():
    lacking = ["xla_dump_hlo_to_subfolder"] if OLDER else []
    lacking += ["xla_dump_compact_gte"] if jax.__version_info__ < (0, 11) else []
    with Observer() as observer:
        assert list(dumps.not_known.__wrapped__(tuple(dumps._PASS_OPTIONS.items()))) == lacking
    assert "compile" not in [event.phase for event in observer.events]
    with Observer() as observer:
        dumped_passes(lowered())
    assert [event.phase for event in observer.events].count("compile") == 1


PASSES = """
import jax, jax.numpy as jnp
from jitinspect.jaxapi.executables import dumps
from jitinspect.readings import pass_dumps
vector = jax.ShapeDtypeStruct((8,), jnp.float32)
with dumps.passes_dumped(jax.jit(lambda x: jnp.tanh(x * 2 + 1)).lower(vector)) as (folder, _):
    found = pass_dumps.in_order(path.name for path in folder.iterdir())
    print(len(found) > 100, "ROOT %" in (folder / found[-1].file).read_text())
"""


SUBFOLDER = "" if OLDER else "--xla_dump_hlo_to_subfolder"  # XLA aborts for a flag that it does not know


@pytest.mark.parametrize(
    "flags",
    [
        "--xla_dump_hlo_module_re=zzz --xla_dump_hlo_pipeline_re=zzz --xla_dump_hlo_pass_re=zzz",
        "--xla_dump_hlo_as_long_text=false --xla_dump_large_constants",
        f"--xla_dump_hlo_as_proto --xla_dump_include_timestamp {SUBFOLDER}",
    ],
)
def test_dump_flags_of_the_environment_do_not_hide_the_passes(flags):
    assert run(PASSES, flags) == ["True", "True"]


PROGRAM = """
import jax, jax.numpy as jnp
from jitinspect.jaxapi.executables import dumps
with dumps.dumped(jax.jit(lambda x: jnp.tanh(x * 2 + 1)).lower(jnp.ones(8))) as dump:
    print(len(dump.objects()), len(dump.ir(optimized=True)))
"""


@pytest.mark.parametrize("pattern", ["nothing_matches", "lambda"])
def test_dump_flags_of_the_environment_neither_hide_the_dump_nor_receive_it(tmp_path, pattern):
    flags = f"--xla_dump_to={tmp_path} --xla_dump_hlo_module_re={pattern}"
    assert run(PROGRAM, flags) == ["1", "1"]
    assert not list(tmp_path.rglob("*tanh*.o"))


def run(program: str, flags: str) -> list[str]:
    """The words that the program prints, in a process with these `XLA_FLAGS`."""
    environment = {"XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()
