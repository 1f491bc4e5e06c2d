"""Entries really opened by JAX, in a process that some of them end."""

import zlib

import jax
import jax.numpy as jnp
import pytest

from jitinspect.errors import UnavailableError
from jitinspect.files.cache.pruning import Choice, prune
from jitinspect.files.cache.verification import verified
from jitinspect.files.guarded import Limits
from tests.support.cache_entries import numbered, write
from tests.support.cached import cache_in, ending_the_process, expanded


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The path of an entry that JAX wrote."""
    folder = tmp_path_factory.mktemp("cache")
    with cache_in(folder):
        jax.jit(lambda x: jnp.sort(x) * 2).lower(jax.ShapeDtypeStruct((5,), jnp.float32)).compile()
    return next(folder.glob("*-cache"))


def filled(folder, *executables):
    for key, content in zip(numbered(len(executables)), executables, strict=True):
        (folder / f"jit_f-{key}-cache").write_bytes(zlib.compress(content))
    return str(folder)


def test_each_entry_is_opened_and_those_that_cannot_be_are_named(whole, tmp_path):
    sound = expanded(whole)
    folder = filled(tmp_path, sound, ending_the_process(sound), sound[:-400], sound, b"\0\0\0\0nothing")
    write(tmp_path, "jit_foreign", "a" * 64, platform="rocm")
    write(tmp_path, "jit_cut", "b" * 64, content=whole.read_bytes()[:300])
    steps = []
    found = {entry.key: entry for entry in verified(folder, on_entry=lambda: steps.append(1)).entries}
    assert len(steps) == len(found) == 7
    first, ending, cut_inside, after, nothing = (found[key] for key in numbered(5))
    for entry in (first, after):
        assert (entry.state, entry.loadable, entry.why_not) == ("sound", True, None)
    for entry in (ending, cut_inside):
        assert (entry.state, entry.loadable) == ("refused", False)
    assert ending.why_not == "it ends the process that reads it (SIGABRT)"
    assert cut_inside.why_not.startswith("JAX does not open it: ")
    assert nothing.state == "unreadable" and not nothing.loadable
    assert (found["a" * 64].state, found["a" * 64].loadable) == ("sound", False)
    assert found["b" * 64].state == "unfinished"


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        (Limits(seconds=0.0), "it takes longer than 0 s to read"),
        (Limits(memory=1), "it takes more than 0 MiB of memory to read"),
    ],
)
def test_one_that_takes_too_long_or_too_much_is_named(whole, tmp_path, limits, why):
    """It is large enough to take more than a glance."""
    (entry,) = verified(filled(tmp_path, expanded(whole) + bytes(100 << 20)), limits=limits).entries
    assert (entry.state, entry.why_not) == ("refused", why)


def test_without_a_backend_nothing_is_said_of_entries(whole, tmp_path, monkeypatch):
    monkeypatch.setenv("JAX_PLATFORMS", "nonsense")
    with pytest.raises(UnavailableError, match="JAX does not start"):
        verified(filled(tmp_path, expanded(whole)))


def test_prune_takes_what_jax_refuses_for_damaged(whole, tmp_path):
    sound = expanded(whole)
    report = prune(filled(tmp_path, sound, sound[:-400]), Choice(damaged=True), remove=True, needs_lock=False)
    assert [row.outcome for row in report.pruned] == ["removed"]
    assert "JAX does not open it" in report.pruned[0].reason and report.left.entries == 1
