"""A decoder-only transformer's training step with AdamW, unrolled layer by layer.

Large on purpose: with `LAYERS` = 24 its compiled HLO is several megabytes.
"""

import jax
import jax.numpy as jnp

LAYERS, WIDTH, HEADS, VOCABULARY = 24, 256, 8, 1024


def init(key, layers=LAYERS):
    """Parameters: an embedding [vocabulary, width] and, for each layer, its six arrays."""
    embed, *keys = jax.random.split(key, layers + 1)
    scale = WIDTH**-0.5

    def layer(key):
        qkv, out, up, down = jax.random.split(key, 4)
        return {
            "norm1": jnp.ones(WIDTH),
            "qkv": scale * jax.random.normal(qkv, (WIDTH, 3 * WIDTH)),
            "out": scale * jax.random.normal(out, (WIDTH, WIDTH)),
            "norm2": jnp.ones(WIDTH),
            "up": scale * jax.random.normal(up, (WIDTH, 4 * WIDTH)),
            "down": scale * jax.random.normal(down, (4 * WIDTH, WIDTH)),
        }

    embedding = scale * jax.random.normal(embed, (VOCABULARY, WIDTH))
    return {"embedding": embedding, "layers": [layer(key) for key in keys]}


def rms_norm(x, gain):
    return x * jax.lax.rsqrt(jnp.mean(x * x, axis=-1, keepdims=True) + 1e-6) * gain


def attention(x, layer):
    """Causal self-attention over `x` [batch, length, width]."""
    batch, length, width = x.shape
    qkv = (x @ layer["qkv"]).reshape(batch, length, 3, HEADS, width // HEADS)
    q, k, v = qkv[:, :, 0], qkv[:, :, 1], qkv[:, :, 2]
    scores = jnp.einsum("bqhd,bkhd->bhqk", q, k) * (width // HEADS) ** -0.5
    causal = jnp.tril(jnp.ones((length, length), dtype=bool))
    weights = jax.nn.softmax(jnp.where(causal, scores, -1e9))
    return jnp.einsum("bhqk,bkhd->bqhd", weights, v).reshape(x.shape) @ layer["out"]


def block(x, layer):
    x = x + attention(rms_norm(x, layer["norm1"]), layer)
    return x + jax.nn.gelu(rms_norm(x, layer["norm2"]) @ layer["up"]) @ layer["down"]


def loss_fn(params, tokens):
    """Mean next-token cross-entropy of `tokens` [batch, length]."""
    x = params["embedding"][tokens[:, :-1]]
    for layer in params["layers"]:
        x = block(x, layer)
    log_probs = jax.nn.log_softmax(x @ params["embedding"].T)
    return -jnp.mean(jnp.take_along_axis(log_probs, tokens[:, 1:, None], axis=-1))


def adamw(params, grads, moments, step, rate=1e-3, b1=0.9, b2=0.95, decay=0.1):
    """One AdamW update; `moments` is the pair of trees of first and second moments."""
    first = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, moments[0], grads)
    second = jax.tree.map(lambda v, g: b2 * v + (1 - b2) * g * g, moments[1], grads)

    def update(p, m, v):
        m_hat, v_hat = m / (1 - b1**step), v / (1 - b2**step)
        return p - rate * (m_hat / (jnp.sqrt(v_hat) + 1e-8) + decay * p)

    return jax.tree.map(update, params, first, second), (first, second)


@jax.jit
def train_step(params, moments, step, tokens):
    """The next parameters, moments and step, and the loss."""
    loss, grads = jax.value_and_grad(loss_fn)(params, tokens)
    params, moments = adamw(params, grads, moments, step)
    return params, moments, step + 1, loss


def make_args(layers=LAYERS, batch=4, length=129):
    """Argument types for `train_step`; no array is made."""
    params = jax.eval_shape(lambda: init(jax.random.key(0), layers))
    step = jax.ShapeDtypeStruct((), jnp.float32)
    tokens = jax.ShapeDtypeStruct((batch, length), jnp.int32)
    return params, (params, params), step, tokens
