"""What stages come to: a module for each reading, whose `read(target, subjects, **asked)` makes the report.

A function on its way through `stages` enters, a report of `model.readings` or `model.differences` leaves. A
module stands under the same name in `render.readings`, which prints that report. May import: `errors`,
`model`, `process`, `specs`, `ir`, `jaxapi`, `stages`.
"""
