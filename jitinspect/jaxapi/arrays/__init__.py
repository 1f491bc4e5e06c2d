"""Arrays as JAX sees them: arguments, zeros in their place, and the arrays that a function closes over."""
