"""The keys that JAX's caches look up for a call, in memory and on disk."""
