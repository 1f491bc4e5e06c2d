"""What a compiled program costs, computed from its text: FLOPs, transcendental operations, bytes."""
