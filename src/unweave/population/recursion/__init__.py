"""The recursion of rPU-VAE: codes become labels, and a part of the images is left to learn."""
