"""A `Report` as a terminal, JSON or HTML document."""
