"""`mod:fn` and argument specs → a jitted function and the arguments that it is traced with.

A reference and specs enter. Modules are imported, names looked up, and functions jitted unless they already
are. What leaves has not been traced. May import: `errors`, `model`, `process`, `specs`, `jaxapi`.
"""
