"""Python lines in what JAX makes: those of a jaxpr's equations, and the frames that are left out."""
