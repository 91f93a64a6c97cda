"""The transformations that rules share. They write through libcst, and answer None for what cannot be proven safe."""
