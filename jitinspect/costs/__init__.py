"""What the instructions of an HLO module cost: FLOPs, transcendental operations, bytes; each as often as it runs.

Pure data → data. `costs.model.cost(program)` is the door.
"""
