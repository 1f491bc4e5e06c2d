"""The names of XLA's options, from the descriptors in jaxlib's library, and the options of a compilation."""

import jax
import numpy as np
import pytest

from jitinspect.jaxapi.keys.compile_options import is_of_another_xla, read_options
from jitinspect.jaxapi.keys.disk_key import key_parts
from jitinspect.jaxapi.keys.option_names import BUILD, COMPILE, DEBUG, options

X = np.ones(3, np.float32)
BOOL = 8


def test_each_message_has_its_fields():
    debug, build, whole = (options(message) for message in (DEBUG, BUILD, COMPILE))
    assert len(debug) > 200
    (fast_math,) = [one for one in debug.values() if one.name == "xla_cpu_enable_fast_math"]
    assert fast_math.kind == BOOL and not fast_math.is_repeated
    (disabled,) = [one for one in debug.values() if one.name == "xla_disable_hlo_passes"]
    assert disabled.is_repeated
    assert build[3].name == "debug_options" and whole[3].name == "executable_build_options"
    assert build[9].name == "device_assignment" and whole[7].name == "env_option_overrides"
    assert (build[12].name, build[18].name) == (
        "allow_spmd_sharding_propagation_to_output", "allow_spmd_sharding_propagation_to_parameters",
    )  # fmt: skip


def test_another_message_has_none():
    assert not options("NoSuchMessage")


@pytest.fixture
def parts():
    def parts(**given):
        return key_parts(jax.jit(lambda x: x + 1, **given).lower(X))

    return parts


def test_options_are_read_by_name(parts):
    usual = read_options(parts().options)
    asked = read_options(parts(compiler_options={"xla_cpu_enable_fast_math": True}).options)
    assert usual.values["xla_cpu_enable_fast_math"] == "False"
    changed = {name for name in asked.values if asked.values[name] != usual.values.get(name)}
    assert changed == {"xla_cpu_enable_fast_math"} == asked.overridden and not usual.overridden
    assert usual.devices == (0,) and usual.left_to_xla == ((True,), (True,))
    assert "xla_dump_to" not in usual.values, "it is no part of the key"


def test_flags_with_a_default_are_written(parts):
    """So that another XLA is told from this one: by a flag that it has, or has not."""
    usual = read_options(parts().options)
    single = {one.name for one in options(DEBUG).values() if not one.is_repeated}
    assert usual.flags <= single and len(usual.flags) > 150  # 195 on jax 0.8.3, more on later ones
    assert not is_of_another_xla(usual, usual, ())


def test_a_key_has_parts(parts):
    told = parts()
    assert told.compression in ("zlib", "zstandard") and told.flags == ()
    assert told.key.key.startswith("jit__lambda")
    if told.topology is not None:  # from 0.12 on
        assert b"+" in told.topology
