"""What the command line says, from Python, from pytest and in notebooks. A function and its arguments enter,
objects leave that print as the command prints, hold its report, and show themselves in a notebook.

May import: `errors`, `model`, `process`, `specs`, `ir`, `jaxapi`, `devices`, `targets`, `stages`, `files`,
`calls`, `programs`, `readings`, `render`.
"""
