"""Small JAX programs to point `jitinspect` at."""
