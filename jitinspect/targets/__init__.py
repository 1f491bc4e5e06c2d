"""`mod:fn` and argument specs → a jitted function and the arguments that it is traced with.

A reference and specs enter; modules are imported, names found, jits taken as they are or made; what leaves
has not been traced. May import: `errors`, `model`, `process`, `specs`, `jaxapi`.
"""
