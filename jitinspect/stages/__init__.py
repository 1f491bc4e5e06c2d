"""A jitted function on its way through JAX: its texts at each stage, its compile events, its cache keys.

A request, or a function with its arguments, enters; a `model.Report` leaves. May import: `errors`, `model`,
`process`, `specs`, `ir`, `jaxapi`, `devices`, `targets`.
"""
