"""A Python program and the process it runs in: how it starts, its imports, its files, its tracebacks.

A script or module enters, its outcome leaves. Nothing here knows about JAX. May import: `errors`.
"""
