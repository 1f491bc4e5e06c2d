"""Files in place of functions, and JAX's cache folder. Paths enter; what they hold leaves: the stages of a
function that was compiled earlier or elsewhere, as readings take them, or the entries of a cache.

What is not ours may be damaged, and made to harm: XLA's code reads it in a process of its own, with limits.
May import: `errors`, `model`, `process`, `specs`, `ir`, `jaxapi`, `devices`, `targets`, `stages`.
"""
