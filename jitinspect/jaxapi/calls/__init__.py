"""JAX's events and frames: which call JAX is working on, where it was made, and JAX's explanation of it."""
