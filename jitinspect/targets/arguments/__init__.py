"""Argument specs → the arguments that a function is traced with, and whether they fit it."""
