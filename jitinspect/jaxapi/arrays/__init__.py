"""Arrays as JAX sees them: arguments, zeros in their place, and what a function closed over."""
