"""What the readings of time do, each part a module."""
