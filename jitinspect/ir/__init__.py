"""The texts of jaxpr, StableHLO and HLO as programs: what is defined where, of what, and by which line.

A stage's text enters, a `Program` leaves. Pure, so that a saved report is read as the live one is. The forms
are those that jax 0.10.2 and 0.12.0.1 print. May import: `model`, `process`.
"""
