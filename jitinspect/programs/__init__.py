"""A running program: what it compiled, what that cost, and the limits that it must keep.

A program, or a recording of one, enters, `model.runs.RunReport` leaves. Compilations are compared by the
rules of `calls`; no stage's text is read here. May import: `errors`, `model`, `process`, `specs`, `jaxapi`,
`calls`.
"""
