"""What `jaxapi.dumps` leans on: XLA's option and dump file names, and JAX's own record of its cache."""

import os
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest
from jax._src import compilation_cache

from jitinspect.errors import CompileError, UnavailableError
from jitinspect.jaxapi import dumps

VECTOR = jax.ShapeDtypeStruct((64,), jnp.float32)


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


PROGRAM = """
import jax, jax.numpy as jnp
from jitinspect.jaxapi import dumps
with dumps.dumped(jax.jit(lambda x: jnp.tanh(x * 2 + 1)).lower(jnp.ones(8))) as dump:
    print(len(dump.objects()), len(dump.ir(optimized=True)))
"""


@pytest.mark.parametrize("pattern", ["nothing_matches", "lambda"])
def test_dump_flags_of_the_environment_neither_hide_the_dump_nor_receive_it(tmp_path, pattern):
    flags = f"--xla_dump_to={tmp_path} --xla_dump_hlo_module_re={pattern}"
    environment = {"XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["1", "1"]
    assert not list(tmp_path.rglob("*tanh*.o"))
