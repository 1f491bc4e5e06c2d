"""The only home of private JAX.

Everything that depends on `jax._src`, private attributes, frames, event and logger
names, message patterns or XLA's flag names lives here, each behind a probe:
what a JAX does not have becomes None or an `UnavailableError`, never a crash.
`tests/contract` has one test for each thing depended on. "0.8.3 to 0.12.0.1" means that a thing was seen on
all versions that the tests run on: jax 0.8.3, 0.9.2, 0.10.2, 0.11.2 and 0.12.0.1.

JAX's own objects enter, plain facts leave. May import: `errors`, `model`, `process`, `specs`, `ir`.
"""
