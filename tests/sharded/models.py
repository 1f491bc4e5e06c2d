"""Parts of models that are spread over devices: by tensors, sequence, vocabulary, layers, or experts."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax
from jax.lax import with_sharding_constraint as constrain
from jax.sharding import PartitionSpec as P

from tests.sharded.expectations import (
    F32,
    Case,
    all_gather,
    all_reduce,
    all_to_all,
    array,
    mesh_of,
    over,
    permute,
)

B, S, D, F, V = 12, 16, 24, 56, 40
"""Batch, sequence, width, hidden width, vocabulary."""
H, K = 4, 6
"""Heads, and the width of one."""
E, C = 8, 3
"""Experts, and the tokens that each takes from each device."""
M = 5
"""Microbatches."""


def tensor_parallel_mlp(w1, w2, x):
    h = jax.nn.gelu(x @ w1)
    return h @ w2  # moves: all-reduce


def moves_of_tensor_parallel_mlp(data, model):
    return [all_reduce("model", B * D * F32 // data)]


def tensor_parallel_attention(wq, wk, wv, wo, x):
    q, k, v = (jnp.einsum("bsd,dhk->bshk", x, w) for w in (wq, wk, wv))
    weights = jax.nn.softmax(jnp.einsum("bshk,bthk->bhst", q, k))
    mixed = jnp.einsum("bhst,bthk->bshk", weights, v)
    return jnp.einsum("bshk,hkd->bsd", mixed, wo)  # moves: all-reduce


def moves_of_tensor_parallel_attention(data, model):
    return [all_reduce("model", B * S * D * F32 // data)]


def sequence_parallel_mlp(w1, w2, x):
    h = jax.nn.gelu(constrain(x, over(x, "data")) @ w1)  # moves: all-gather
    return constrain(h @ w2, over(x, "data", "model"))  # moves: all-reduce


def moves_of_sequence_parallel_mlp(data, model):
    """XLA for the CPU sums all, of which each device then takes its part."""
    part = B * S * D * F32 // (data * model)
    return [all_gather("model", part, model), all_reduce("model", part * model)]


def ulysses(q, k, v):
    def attend(q, k, v):
        q = lax.all_to_all(q, "seq", split_axis=2, concat_axis=1, tiled=True)  # moves: q
        k = lax.all_to_all(k, "seq", split_axis=2, concat_axis=1, tiled=True)  # moves: k
        v = lax.all_to_all(v, "seq", split_axis=2, concat_axis=1, tiled=True)  # moves: v
        weights = jax.nn.softmax(jnp.einsum("bshk,bthk->bhst", q, k))
        mixed = jnp.einsum("bhst,bthk->bshk", weights, v)
        return lax.all_to_all(mixed, "seq", split_axis=1, concat_axis=2, tiled=True)  # moves: mixed

    spec = P(None, "seq")
    return jax.shard_map(attend, mesh=mesh_of(q), in_specs=(spec,) * 3, out_specs=spec)(q, k, v)


def moves_of_ulysses(seq):
    part = B * S * H * K * F32 // seq
    return [all_to_all("seq", part, asked_by="user", mark=mark) for mark in ("q", "k", "v", "mixed")]


def ring_attention(q, k, v):
    mesh = mesh_of(q)
    n = mesh.shape["seq"]
    ring = [(i, (i + 1) % n) for i in range(n)]

    def attend(q, k, v):
        def step(carry, _):
            k, v, numerator, denominator = carry
            weights = jnp.exp(jnp.einsum("bshk,bthk->bhst", q, k))
            numerator += jnp.einsum("bhst,bthk->bshk", weights, v)
            denominator += jnp.einsum("bhst->bsh", weights)
            k = lax.ppermute(k, "seq", ring)  # moves: keys
            v = lax.ppermute(v, "seq", ring)  # moves: values
            return (k, v, numerator, denominator), None

        begin = (k, v, jnp.zeros_like(q), jnp.zeros_like(q[..., 0]))
        (_, _, numerator, denominator), _ = lax.scan(step, begin, None, length=n)
        return numerator / denominator[..., None]

    spec = P(None, "seq")
    return jax.shard_map(attend, mesh=mesh, in_specs=(spec,) * 3, out_specs=spec)(q, k, v)


def moves_of_ring_attention(seq):
    part = B * S * H * K * F32 // seq
    return [permute("seq", part, runs=seq, asked_by="user", mark=mark) for mark in ("keys", "values")]


def pipeline(ws, batches):
    mesh = mesh_of(ws)
    n = mesh.shape["stage"]

    def stages(w, batches):
        stage = lax.axis_index("stage")
        onward = [(i, i + 1) for i in range(n - 1)]

        def tick(held, t):
            fresh = batches[jnp.minimum(t, M - 1)]
            done = jnp.tanh(jnp.where(stage == 0, fresh, held) @ w[0])
            return lax.ppermute(done, "stage", onward), done  # moves: collective-permute

        begin = lax.pcast(jnp.zeros_like(batches[0]), "stage", to="varying")
        _, done = lax.scan(tick, begin, jnp.arange(M + n - 1))
        return done[None, n - 1 :]

    return jax.shard_map(stages, mesh=mesh, in_specs=(P("stage"), P()), out_specs=P("stage"))(ws, batches)


def moves_of_pipeline(stage):
    """The last microbatch begins after all others, and then passes all stages."""
    return [permute("stage", B * D * F32, runs=M + stage - 1, asked_by="user")]


def experts_by_hand(w, tokens):
    def local(w, tokens):
        sent = lax.all_to_all(tokens, "expert", 0, 0, tiled=True)  # moves: dispatch
        done = jnp.tanh(jnp.einsum("ncd,df->ncf", sent, w[0]))
        return lax.all_to_all(done, "expert", 0, 0, tiled=True)  # moves: combine

    specs = (P("expert"), P("expert"))
    return jax.shard_map(local, mesh=mesh_of(w), in_specs=specs, out_specs=P("expert"))(w, tokens)


def moves_of_experts_by_hand(expert):
    widths = {"dispatch": D, "combine": F}
    return [
        all_to_all("expert", E * C * width * F32, asked_by="user", mark=mark)
        for mark, width in widths.items()
    ]


def experts_by_einsum(w, dispatch, tokens):
    taken = constrain(jnp.einsum("gsec,gsd->egcd", dispatch, tokens), over(w, "expert"))  # moves: dispatch
    done = jnp.tanh(jnp.einsum("egcd,edf->egcf", taken, w))
    done = constrain(done, over(w, None, "expert"))  # moves: combine
    return constrain(jnp.einsum("gsec,egcf->gsf", dispatch, done), over(w, "expert"))


def moves_of_experts_by_einsum(expert):
    widths = {"dispatch": D, "combine": F}
    return [all_to_all("expert", E * C * width * F32, mark=mark) for mark, width in widths.items()]


def collective_matmul(x, w):
    mesh = mesh_of(x)
    n = mesh.shape["model"]
    back = [(i, (i - 1) % n) for i in range(n)]

    def local(x, w):
        mine, rows = lax.axis_index("model"), x.shape[0]
        out = lax.pcast(jnp.zeros((n * rows, w.shape[1])), "model", to="varying")
        for step in range(n):
            out = lax.dynamic_update_slice(out, x @ w, ((mine + step) % n * rows, 0))
            if step < n - 1:
                x = lax.ppermute(x, "model", back)  # moves: collective-permute
        return out

    specs = (P("model"), P(None, "model"))
    return jax.shard_map(local, mesh=mesh, in_specs=specs, out_specs=P(None, "model"))(x, w)


def moves_of_collective_matmul(model):
    return [permute("model", B * D * F32 // model, asked_by="user")] * (model - 1)


def vocabulary_parallel_loss(logits, labels):
    def local(logits, labels):
        size = logits.shape[-1]
        top = lax.pmax(lax.stop_gradient(logits.max(-1)), "model")  # moves: top
        total = lax.psum(jnp.exp(logits - top[:, None]).sum(-1), "model")  # moves: sums
        at = labels - lax.axis_index("model") * size
        mine = (at >= 0) & (at < size)
        one = jnp.take_along_axis(logits, jnp.clip(at, 0, size - 1)[:, None], 1)[:, 0]
        one = lax.psum(jnp.where(mine, one, 0.0), "model")  # moves: sums
        return jnp.log(total) + top - one

    specs = (P("data", "model"), P("data"))
    return jax.shard_map(local, mesh=mesh_of(logits), in_specs=specs, out_specs=P("data"))(logits, labels)


def moves_of_vocabulary_parallel_loss(data, model):
    """XLA merges the two sums, which are over the same devices and do not need each other."""
    size = B * F32 // data
    top = all_reduce("model", size, asked_by="user", mark="top")
    return [top, all_reduce("model", 2 * size, asked_by="user", mark="sums")]


def layer_norm(x):
    mean = jnp.mean(x, -1, keepdims=True)  # moves: mean
    variance = jnp.mean((x - mean) ** 2, -1, keepdims=True)  # moves: variance
    return (x - mean) * lax.rsqrt(variance + 1e-5)


def moves_of_layer_norm(data, model):
    return [all_reduce("model", B * F32 // data, mark=mark) for mark in ("mean", "variance")]


def embedding(table, tokens):
    return table[tokens]  # moves: all-reduce


def moves_of_embedding(data, model):
    """Each device looks up what its part of the table has, and zeros."""
    return [all_reduce("model", B * D * F32 // data)]


def mlp(mesh, *x):
    return array(mesh, (D, F), None, "model"), array(mesh, (F, D), "model"), array(mesh, *x)


def attention(mesh):
    heads = array(mesh, (D, H, K), None, "model")
    return heads, heads, heads, array(mesh, (H, K, D), "model"), array(mesh, (B, S, D), "data")


def over_the_sequence(mesh):
    return [array(mesh, (B, S, H, K), None, "seq")] * 3


def stages(mesh):
    return array(mesh, (mesh.size, D, D), "stage"), array(mesh, (M, B, D))


def experts(mesh):
    return array(mesh, (E, D, F), "expert"), array(mesh, (E * mesh.size, C, D), "expert")


def experts_and_dispatch(mesh):
    dispatch = array(mesh, (mesh.size, S, E, C), "expert")
    return array(mesh, (E, D, F), "expert"), dispatch, array(mesh, (mesh.size, S, D), "expert")


def rows_and_columns(mesh):
    return array(mesh, (B, D), "model"), array(mesh, (D, F), None, "model")


def labelled(mesh, shape, *spec):
    return array(mesh, shape, *spec), array(mesh, (B,), "data", dtype="int32")


DATA_MODEL = {"data": 4, "model": 2}
CASES = [
    Case(
        tensor_parallel_mlp,
        DATA_MODEL,
        lambda mesh: mlp(mesh, (B, D), "data"),
        moves_of_tensor_parallel_mlp,
    ),
    Case(tensor_parallel_attention, DATA_MODEL, attention, moves_of_tensor_parallel_attention),
    Case(
        sequence_parallel_mlp,
        DATA_MODEL,
        lambda mesh: mlp(mesh, (B, S, D), "data", "model"),
        moves_of_sequence_parallel_mlp,
    ),
    Case(ulysses, {"seq": 4}, over_the_sequence, moves_of_ulysses),
    Case(ring_attention, {"seq": 8}, over_the_sequence, moves_of_ring_attention),
    Case(pipeline, {"stage": 4}, stages, moves_of_pipeline),
    Case(experts_by_hand, {"expert": 8}, experts, moves_of_experts_by_hand),
    Case(experts_by_einsum, {"expert": 8}, experts_and_dispatch, moves_of_experts_by_einsum),
    Case(collective_matmul, {"model": 4}, rows_and_columns, moves_of_collective_matmul),
    Case(
        vocabulary_parallel_loss,
        DATA_MODEL,
        lambda mesh: labelled(mesh, (B, V), "data", "model"),
        moves_of_vocabulary_parallel_loss,
    ),
    Case(layer_norm, DATA_MODEL, lambda mesh: [array(mesh, (B, D), "data", "model")], moves_of_layer_norm),
    Case(embedding, DATA_MODEL, lambda mesh: labelled(mesh, (V, D), "model"), moves_of_embedding),
]
