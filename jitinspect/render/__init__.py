"""A report of `model` as a terminal, JSON or HTML document.

A report enters, text leaves. Nothing here knows JAX or files, and only this wing imports `rich`. May import:
`errors`, `model`.
"""
