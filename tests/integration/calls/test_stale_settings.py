"""A setting that jits do not look at, changed after the first call: a warning, and only where it matters."""

import jax
import pytest

from jitinspect.calls.stale_settings import StaleSettings

GUMBEL = "jax_high_dynamic_range_gumbel"


@pytest.fixture
def seeded():
    return jax.jit(lambda seed: jax.random.key_data(jax.random.key(seed)))


@pytest.fixture
def plain():
    return jax.jit(lambda x: x + 1)


@pytest.fixture
def setting():
    """Sets an option as a program does, until the test ends."""
    before = {}

    def setting(name, value):
        before.setdefault(name, jax.config.values[name])
        jax.config.update(name, value)

    yield setting
    for name, value in before.items():
        jax.config.update(name, value)


def test_a_cached_call_keeps_the_implementation_of_its_keys(seeded, plain):
    with StaleSettings() as stale:
        before = seeded(0).shape
        plain(0)
        with jax.default_prng_impl("rbg"):
            assert seeded(0).shape == before  # which is why a warning is due
            plain(0)
    (note,) = stale.notes
    assert note.startswith("jax_default_prng_impl is 'rbg' at ") and "'threefry2x32'" in note
    assert f"{__file__.rpartition('/')[2]}:" in note


def test_the_gumbel_setting_matters_to_what_draws_with_it(seeded, setting):
    drawn = jax.jit(lambda x: jax.random.categorical(jax.random.key(0), x))
    logits = jax.numpy.zeros(3)
    with StaleSettings() as stale:
        seeded(0), drawn(logits)
        setting(GUMBEL, True)
        seeded(0), drawn(logits)
    assert [note.split(" is ")[0] for note in stale.notes] == [GUMBEL]


def test_an_optimization_level_after_the_first_call(plain, setting):
    with StaleSettings() as stale:
        plain(0)
        setting("jax_optimization_level", "O1")
        plain(0), plain(0), plain(0)
    assert len(stale.notes) == 1 and "jax.clear_caches()" in stale.notes[0]


def test_what_was_set_in_time_is_no_reason_to_warn(seeded, plain, setting):
    with StaleSettings() as stale:
        plain(0)
        setting("jax_default_prng_impl", "rbg")
        seeded(0), seeded(1), plain(1)
        jax.clear_caches()
        setting("jax_optimization_level", "O1")
        seeded(0), seeded(1)
    assert stale.notes == ()


def test_the_advice_helps(seeded, setting):
    with StaleSettings() as stale:
        before = seeded(0).shape
        setting("jax_default_prng_impl", "rbg")
        jax.clear_caches()
        assert seeded(0).shape != before
    assert stale.notes == ()


def test_disabled_jits_are_told():
    with jax.disable_jit(), StaleSettings() as stale:
        pass
    assert "JAX_DISABLE_JIT" in stale.notes[0]
