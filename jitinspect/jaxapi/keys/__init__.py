"""What JAX's caches look a call up by, in memory and on disk."""
