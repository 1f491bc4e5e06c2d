"""Devices that are not here: what they are, and the processes in which their compilers run.

A name such as `v5e:4x4` and a piece of work enter; what the work gives leaves, done in a worker process
whose compilations are for that device. The user's own process never loads a compiler. May import: `errors`,
`model`, `process`, `specs`, `ir`, `jaxapi`.
"""
