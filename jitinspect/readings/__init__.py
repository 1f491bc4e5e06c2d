"""Readings of a function's stages: one module each, whose `read(target, subjects, **options)` makes a report.

A function on its way through `stages` enters, a report of `model.readings` or `model.differences` leaves. The
module of the same name in `render.readings` prints that report. May import: `errors`, `model`, `devices`,
`process`, `specs`, `ir`, `jaxapi`, `stages`.
"""
