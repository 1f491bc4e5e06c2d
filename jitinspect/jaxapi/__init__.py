"""The only home of private JAX.

Everything that depends on `jax._src`, private attributes, frames, event and logger
names, message patterns or XLA's flag names lives here, each behind a probe:
what a JAX does not have becomes None or an `UnavailableError`, never a crash.
`tests/contract` has one test for each thing depended on.

JAX's own objects enter, plain facts leave. May import: `errors`, `model`, `process`, `specs`, `ir`.
"""
