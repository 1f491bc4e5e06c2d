"""Python lines in JAX's output: those of a jaxpr's equations, and the frames that are left out."""
