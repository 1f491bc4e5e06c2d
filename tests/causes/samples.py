"""The programs of `samples/recompiles`, and the statuses of their calls; where versions of JAX differ, by the
version's beginning.
"""

import jax

from tests.causes.case import statuses_on

_STATUSES = {
    "call_forms.py": "COMPILED COMPILED COMPILED COMPILED COMPILED CACHED",
    "closures.py": "COMPILED COMPILED COMPILED COMPILED CACHED CACHED",
    "forgotten.py": "COMPILED COMPILED COMPILED COMPILED COMPILED",
    "history.py": "COMPILED COMPILED COMPILED COMPILED COMPILED",
    "jit_options.py": "COMPILED CACHED COMPILED COMPILED",
    "last_batch.py": "COMPILED CACHED CACHED COMPILED",
    "new_functions.py": 5 * "COMPILED " + 4 * "COMPILED " + "CACHED",
    "nothing_new.py": "COMPILED CACHED CACHED CACHED CACHED CACHED",
    "placement.py": "COMPILED CACHED COMPILED COMPILED COMPILED COMPILED COMPILED",
    "settings.py": "COMPILED COMPILED COMPILED COMPILED COMPILED CACHED",
    "static_values.py": {
        "0.8.": "COMPILED CACHED COMPILED COMPILED CACHED COMPILED COMPILED",  # there True is 1
        "": "COMPILED CACHED COMPILED COMPILED COMPILED COMPILED COMPILED",
    },
    "structure.py": "COMPILED COMPILED CACHED COMPILED COMPILED COMPILED COMPILED COMPILED",
    "transformations.py": "COMPILED COMPILED COMPILED CACHED CACHED",
    "weak_types.py": "COMPILED COMPILED CACHED COMPILED COMPILED COMPILED",
}

SAMPLES = {name: statuses_on(statuses, jax.__version__) for name, statuses in _STATUSES.items()}
"""Those of the JAX that is here."""
