"""What the command line says, from Python and from pytest. A function and its arguments enter, objects leave
that print as the command prints, hold its report, and show as a page in Jupyter.

May import: `errors`, `model`, `process`, `specs`, `ir`, `jaxapi`, `devices`, `targets`, `stages`, `files`,
`calls`, `programs`, `readings`, `render`.
"""
