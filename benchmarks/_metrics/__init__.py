"""The way in which disentanglement_lib scores a model, and ours, timed piece by piece."""
