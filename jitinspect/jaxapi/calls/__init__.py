"""JAX's events and frames: which call JAX is at work for, where it stands, and what JAX says of it."""
