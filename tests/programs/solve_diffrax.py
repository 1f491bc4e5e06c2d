"""Solves predators and prey with diffrax: with another solver, from a Python float, saved at more points."""

import equinox as eqx
import jax.numpy as jnp
from diffrax import Euler, Heun, ODETerm, SaveAt, diffeqsolve


def grow(t, populations, rates):
    prey, predators = populations
    return rates[0] * prey - rates[1] * prey * predators, rates[1] * prey * predators - rates[2] * predators


def solve(solver, populations, times):
    rates = (0.1, 0.02, 0.4)
    return diffeqsolve(ODETerm(grow), solver, 0, 10, 0.1, populations, rates, saveat=SaveAt(ts=times)).ys


@eqx.filter_jit
def final_prey(solver, populations):
    return solve(solver, populations, jnp.array([10.0]))[0][-1]


ten = jnp.array(10.0)
for solver in (Euler(), Euler(), Heun()):
    print(type(solver).__name__, f"{final_prey(solver, (ten, ten)):.6g}")
print("a Python float", f"{final_prey(Heun(), (10.0, ten)):.6g}")
for n in (5, 7):
    prey, _ = solve(Heun(), (ten, ten), jnp.linspace(0, 10, n))
    print("not jitted", n, f"{prey.mean():.6g}")
