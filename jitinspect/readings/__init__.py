"""What stages come to: a module for each reading, whose `read(target, subjects, **asked)` makes the report."""
