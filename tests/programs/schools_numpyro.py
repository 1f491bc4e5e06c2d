"""Fits the eight schools with numpyro's NUTS, with a new sampler for each of two spreads."""

import jax
import numpy as np
import numpyro
from numpyro.distributions import Normal
from numpyro.infer import MCMC, NUTS

effects = np.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0])
errors = np.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0])


def schools(spread):
    mean = numpyro.sample("mean", Normal(0, 5))
    with numpyro.plate("school", 8):
        effect = numpyro.sample("effect", Normal(mean, spread))
        numpyro.sample("observed", Normal(effect, errors), obs=effects)


for spread in (1.0, 10.0):
    mcmc = MCMC(NUTS(schools), num_warmup=10, num_samples=10, progress_bar=False)
    mcmc.run(jax.random.PRNGKey(0), spread)
    print(spread, {name: f"{drawn.sum():.6g}" for name, drawn in sorted(mcmc.get_samples().items())})
