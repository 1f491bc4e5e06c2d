"""How JAX tells what it hashes into its on-disk key, and that it can be stopped right after."""

import logging
import threading

import jax
import jax.monitoring
import jax.numpy as jnp
import pytest

from jitinspect.errors import UnavailableError
from jitinspect.jaxapi.keys.disk_key import COMPONENT, CUMULATIVE, LAST, LOGGER, disk_key

COMPONENTS = [
    "computation", "jax_lib version", "backend version", "XLA flags",
    "compile_options", "accelerator_config", "compression", "custom_hook",
]  # fmt: skip
KEY_IS_MADE = "/jax/compilation_cache/compile_requests_use_cache"
X = jax.ShapeDtypeStruct((3,), "float32")


def lowered(scale=2.0):
    def fun(x):
        return jnp.sin(x) * scale

    return jax.jit(fun).trace(X).lower()


def state():
    logger = logging.getLogger(LOGGER)
    effective = logger.getEffectiveLevel()
    return (
        logger.level,
        effective,
        logger.disabled,
        list(logger.filters),
        list(logger.handlers),
        (logging.root.manager.disable),
    )


@pytest.fixture
def past_the_key():
    """How often JAX went on with a key: to the cache, and to XLA."""
    seen = []

    def listener(event, **kwargs):
        if event == KEY_IS_MADE:
            seen.append(event)

    jax.monitoring.register_event_listener(listener)
    yield seen
    jax.monitoring.unregister_event_listener(listener)


def test_a_compilation_logs_each_component_and_the_whole(caplog):
    with caplog.at_level(logging.DEBUG, LOGGER):
        lowered().compile()
    told = [(record.msg, record.args[0]) for record in caplog.records if record.name == LOGGER]
    assert [name for message, name in told if message == COMPONENT] == COMPONENTS
    assert told[-1] == (CUMULATIVE, LAST)


def test_the_key_is_that_of_the_compilation(caplog):
    made = disk_key(lowered())
    with caplog.at_level(logging.DEBUG, LOGGER):
        lowered().compile()
    last = [record.args[1] for record in caplog.records if record.msg == CUMULATIVE][-1]
    assert made.key == f"{made.module}-{last}" and made.module == "jit_fun"
    assert list(made.components) == COMPONENTS


def test_nothing_is_compiled_and_a_compilation_still_works(past_the_key):
    stage = lowered()
    disk_key(stage)
    assert past_the_key == []
    assert stage.compile()(jnp.zeros(3)).shape == (3,)
    assert past_the_key.count(KEY_IS_MADE) >= 1


def test_what_is_compiled_already_has_the_same_key():
    stage = lowered()
    made = disk_key(stage)
    stage.compile()
    assert disk_key(stage) == disk_key(lowered()) == made


def test_what_was_hashed_is_told():
    inputs = disk_key(lowered()).inputs
    assert set(inputs) == {*COMPONENTS} - {"computation", "custom_hook"}
    assert inputs["compression"]["algorithm"] in ("zlib", "zstandard")
    assert inputs["compile_options"]["device ids"] == "0"
    assert inputs["compile_options"]["num_partitions"] == "1"
    assert inputs["accelerator_config"]["devices"] == str(len(jax.devices()))
    assert not any("xla_dump" in name for name in inputs["compile_options"])


def test_the_logger_is_left_as_it_was():
    before = state()
    disk_key(lowered())
    assert state() == before


def test_a_logger_that_is_switched_off_is_read_and_left_off(past_the_key):
    logger = logging.getLogger(LOGGER)
    logging.disable(logging.CRITICAL)
    logger.disabled = True
    try:
        before = state()
        assert disk_key(lowered()).key and past_the_key == []
        assert state() == before
    finally:
        logging.disable(logging.NOTSET)
        logger.disabled = False


def test_the_logger_is_left_as_it_was_after_a_failure():
    class Failing:
        def compile(self, compiler_options):
            raise RuntimeError("no")

    before = state()
    with pytest.raises(RuntimeError, match="no"):
        disk_key(Failing())
    assert state() == before


def test_the_handlers_of_the_program_see_nothing_of_it(caplog):
    with caplog.at_level(logging.DEBUG, LOGGER):
        disk_key(lowered())
    assert caplog.records == []


def test_keys_made_at_once_are_not_mixed():
    stages = [lowered(float(scale)) for scale in range(8)]
    alone, before = [disk_key(stage).key for stage in stages], state()
    together = {}
    threads = [
        threading.Thread(target=lambda i=i: together.update({i: disk_key(stages[i]).key})) for i in range(8)
    ]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert [together[i] for i in range(8)] == alone and len(set(alone)) == 8
    assert state() == before


def test_a_cache_that_is_off_has_no_key():
    jax.config.update("jax_enable_compilation_cache", False)
    try:
        with pytest.raises(UnavailableError, match="jax_enable_compilation_cache"):
            disk_key(lowered())
    finally:
        jax.config.update("jax_enable_compilation_cache", True)
