"""Parses the texts of jaxprs, StableHLO and HLO: which operations there are, their operands, their lines.

A stage's text enters, a `Program` leaves. Pure, so that saved reports are parsed like live ones. The syntax
is that printed by jax 0.10.2 and 0.12.0.1. May import: `model`, `process`.
"""
