"""Compiled executables: which buffers they reuse, the memory that they take, and the files that XLA dumps."""
