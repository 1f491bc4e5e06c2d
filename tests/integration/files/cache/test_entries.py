"""Entries that JAX wrote, and a hundred damaged ones: what is said of each, and that JAX agrees."""

import os
import zlib

import jax
import jax.numpy as jnp
import pytest

from jitinspect.files.cache.entries import read_entry
from jitinspect.files.cache.listing import contents
from tests.support.cache_entries import numbered
from tests.support.cached import cache_in, expanded

LONG_AGO = 1e9


def squared(x):
    return jnp.sum(jnp.tanh(x) ** 2)


LINE = squared.__code__.co_firstlineno + 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("cache")
    with cache_in(made):
        for size in (3, 4):
            jax.jit(squared).lower(jax.ShapeDtypeStruct((size,), jnp.float32)).compile()
        jax.jit(lambda x: x[::-1]).lower(jax.ShapeDtypeStruct((3,), jnp.int32)).compile()
        jnp.full((7, 3), 2.5).block_until_ready()
    return made


@pytest.fixture(scope="module")
def whole(folder):
    """An entry of `squared`."""
    return next(folder.glob("jit_squared-*-cache"))


def test_the_bytes_tell_function_line_platform_and_size(folder):
    found = contents(str(folder)).entries
    mine = [entry for entry in found if entry.module == "jit_squared"]
    assert len(mine) == 2
    for entry in mine:
        assert (entry.source, entry.function) == (f"{__file__}:{LINE}", "squared")
        assert (entry.platform, entry.loadable, entry.why_not, entry.state) == ("cpu", True, None, "sound")
        assert entry.compile_seconds == 0 and entry.compression == "zlib"
        assert entry.expanded_bytes == len(expanded(folder / entry.file))
        assert jax.devices()[0].client.platform == entry.platform and "-linux" in entry.built_for


def test_a_lambda_and_what_jax_makes_for_itself_have_lines_too(folder):
    found = {entry.module: entry for entry in contents(str(folder)).entries}
    assert found["jit__lambda"].function.endswith("<lambda>")
    called = found["jit_broadcast_in_dim"]
    assert called.source.startswith(f"{__file__}:") and called.function == "folder"


def cuts(content):
    """At each part, and in between."""
    return [content[:kept] for kept in sorted({*range(0, 8), *range(8, len(content), len(content) // 24)})]


def flips(content):
    for at in range(2, len(content), len(content) // 24):
        yield content[:at] + bytes([content[at] ^ 0x55]) + content[at + 1 :]


def others(content, executable):
    yield from (b"\x1f\x8b\x08" + content, b"BZh9" + content, b"hello", b"\0" * 100, b"\x78\xda", content[2:])
    for inner in (b"", executable[:3], executable[:40], b"\0" * 500, b"\xff" * 500, b"text" * 100):
        yield zlib.compress(inner)
    yield zlib.compress(bytes(100 << 20), 1)


def damaged(whole):
    content = whole.read_bytes()
    found = [*cuts(content)[:-1], *flips(content), *others(content, expanded(whole))]
    cut_inside = [zlib.compress(expanded(whole)[:kept]) for kept in range(4, 200, 6)]
    return found, cut_inside


def test_a_hundred_damaged_entries_each_have_a_line_that_says_so(whole, tmp_path):
    found, cut_inside = damaged(whole)
    assert len(found) + len(cut_inside) >= 95
    for key, content in zip(numbered(200), [*found, *cut_inside], strict=False):
        path = tmp_path / f"jit_squared-{key}-cache"
        path.write_bytes(content)
        os.utime(path, (LONG_AGO, LONG_AGO))
    (tmp_path / f"jit_squared-{'f' * 64}-cache").mkdir()
    os.mkfifo(tmp_path / f"jit_squared-{'e' * 64}-cache")
    listed = contents(str(tmp_path), order="module").entries
    assert len(listed) == len(found) + len(cut_inside) + 2
    assert {entry.module for entry in listed} == {"jit_squared"}
    by_key = {entry.key: entry for entry in listed}
    for key, _ in zip(numbered(200), found, strict=False):
        entry = by_key[key]
        assert entry.state in ("damaged", "unreadable", "too_large") and not entry.loadable, entry
        assert entry.why_not and entry.why_not.startswith(("it ", "its ", "what "))
    states = [entry.state for entry in listed]
    assert states.count("unreadable") >= 4 and "unfinished" not in states


def test_jax_cannot_decompress_what_is_called_damaged(whole, tmp_path):
    from jax._src.compilation_cache import decompress_executable  # noqa: TID251 (the judge)

    for content in damaged(whole)[0]:
        path = tmp_path / "one-cache"
        path.write_bytes(content)
        os.utime(path, (LONG_AGO, LONG_AGO))
        if read_entry(str(path), LONG_AGO + 100).state != "damaged":
            continue
        with pytest.raises(zlib.error):
            decompress_executable(content)
