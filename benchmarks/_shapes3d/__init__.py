"""What the benchmark of the rendered 3DShapes is made of."""
