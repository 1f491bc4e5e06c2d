"""No test depends on how fast the machine is."""

import gc
import sys

from hypothesis import HealthCheck, settings

sys.dont_write_bytecode = (
    True  # a module that a test writes twice in a second would be that of the first time
)
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")
gc.disable()  # while the tests are imported: what that makes stays


def pytest_collection_finish():
    """What was imported stays: a collection of garbage, which JAX causes often, need not look at it."""
    gc.collect()
    gc.freeze()
    gc.enable()
