"""Imported by the process of which workers are forks: what a first step of training would import.

An optimiser is made, since PyTorch imports a third of itself only then.
"""

import torch

torch.optim.SGD([torch.zeros(1, requires_grad=True)])
