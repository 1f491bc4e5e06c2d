"""Calls of jitted functions: which were CACHED, which COMPILED, and the true cause.

A program or a call script enters, `model.CallReport` leaves. Imports what is below: `jaxapi`, `targets`,
`specs`, `process`, `model`.
"""
