"""JAX's persistent compilation cache: what each entry of a folder is, which ones are sound, and which can go.

A folder and its settings enter; a row for each entry leaves. Nothing of JAX runs here, but in the process
that `verification` starts.
"""
