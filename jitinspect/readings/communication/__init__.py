"""What the collectives of a compiled program move, for whom, and along which axes of the mesh."""
