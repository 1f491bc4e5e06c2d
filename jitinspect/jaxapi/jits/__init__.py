"""Jitted objects: how each library's are recognised, what they are made of, and the names of their arguments."""
