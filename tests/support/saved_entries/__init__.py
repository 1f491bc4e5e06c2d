"""Entries of JAX's cache, as several versions of jaxlib wrote them; `make` makes them."""
