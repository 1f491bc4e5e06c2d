"""JAX's profiler: traces of what it and XLA do, and the HLO of the programs that ran."""
