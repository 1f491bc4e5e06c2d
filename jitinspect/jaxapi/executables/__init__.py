"""Compiled executables: which buffers they reuse, the memory they take, and the files that XLA dumps."""
