"""Recordings of a program's compilations: JSON lines, written as the program runs and read by `summary`."""
