"""Calls of jitted functions: which were CACHED, which COMPILED, and why.

A program or a call script enters, `model.CallReport` leaves. May import: `errors`, `model`, `process`,
`specs`, `jaxapi`, `targets`.
"""
