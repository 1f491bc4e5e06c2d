"""A Python program, and the process that it runs in: its start, its imports, its files, its tracebacks.

A script or module enters, its outcome leaves. Nothing here knows of JAX. May import: `errors`.
"""
