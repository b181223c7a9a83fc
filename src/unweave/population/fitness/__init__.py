"""What members of a population are ranked by."""

from unweave.population.fitness.base import Fitness, Measured
from unweave.population.fitness.leaf_mig import LeafMIG
from unweave.population.fitness.scored import Scored
from unweave.population.fitness.text import parse_fitness
from unweave.population.fitness.udr import UDRFitness

__all__ = ["Fitness", "LeafMIG", "Measured", "Scored", "UDRFitness", "parse_fitness"]
