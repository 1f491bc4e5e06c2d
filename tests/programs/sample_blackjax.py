"""Adapts blackjax's NUTS and runs it in loops of two lengths, then its HMC in a loop of Python's."""

import blackjax
import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.stats import norm

observed = np.random.default_rng(0).normal(10, 20, size=50)


def logdensity(mean):
    return norm.logpdf(observed, mean, 20).sum()


def run(step, key, state, n):
    @jax.jit
    def one_step(state, key):
        state, _ = step(key, state)
        return state, state.position

    return jax.lax.scan(one_step, state, jax.random.split(key, n))


warming, sampling, walking = jax.random.split(jax.random.key(0), 3)
(state, parameters), _ = blackjax.window_adaptation(blackjax.nuts, logdensity).run(warming, 1.0, 50)
nuts = blackjax.nuts(logdensity, **parameters)
for n in (20, 30):
    state, means = run(nuts.step, sampling, state, n)
    print("nuts", n, f"{means.mean():.6g}")

hmc = blackjax.hmc(logdensity, 0.1, jnp.ones(1), 5)
state = hmc.init(1.0)
walk = jax.jit(hmc.step)
for key in jax.random.split(walking, 4):
    state, _ = walk(key, state)
print("hmc", f"{state.position:.6g}")
