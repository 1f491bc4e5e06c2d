"""A report of `model` as a terminal, JSON or HTML document.

A report enters, text leaves. JAX and files are out of sight here, and `rich` nowhere else. May import:
`errors`, `model`.
"""
