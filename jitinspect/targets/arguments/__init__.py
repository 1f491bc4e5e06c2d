"""Argument specs → the arguments a function is traced with, and whether they fit it."""
