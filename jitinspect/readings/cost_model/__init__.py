"""What a compiled program costs, told by its text alone: FLOPs, transcendental operations, bytes."""
