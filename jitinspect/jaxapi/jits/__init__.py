"""Jitted objects: how those of each library are recognised, what they consist of, their argument names."""
