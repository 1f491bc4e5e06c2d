"""Jitted objects: how each library's are recognised, what they are made of, how their arguments are named."""
