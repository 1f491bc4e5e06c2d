"""What stages come to: a module for each reading, whose `read(target, subjects, **asked)` makes the report.

A module stands in the same name under `render.readings`, which prints that report.
"""
