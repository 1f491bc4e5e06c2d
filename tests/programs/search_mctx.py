"""Searches a bandit's tree with mctx: with more simulations, then with a larger batch."""

import functools

import jax
import jax.numpy as jnp
import mctx

REWARDS = jnp.array([[0.1, 0.9, 0.3, 0.2], [0.5, 0.1, 0.2, 0.8]])


def step(rewards, key, action, state):
    reward = rewards[state % 2, action]
    output = mctx.RecurrentFnOutput(
        reward=reward,
        discount=jnp.full_like(reward, 0.5),
        prior_logits=jnp.zeros((len(action), 4)),
        value=jnp.zeros_like(reward),
    )
    return output, state + 1


@functools.partial(jax.jit, static_argnames="simulations")
def plan(rewards, key, state, simulations):
    batch = len(state)
    root = mctx.RootFnOutput(prior_logits=jnp.zeros((batch, 4)), value=jnp.zeros(batch), embedding=state)
    return mctx.gumbel_muzero_policy(rewards, key, root, step, simulations)


for simulations, batch in [(4, 2), (4, 2), (8, 2), (8, 3)]:
    output = plan(REWARDS, jax.random.key(batch), jnp.zeros(batch, jnp.int32), simulations)
    print(simulations, batch, output.action.tolist(), f"{output.action_weights[:, 1].sum():.6g}")
