"""Populations: many trainings that copy from each other, ranked with or without labels."""

from unweave.population.exploit import Exploit, NoExploit, Truncation
from unweave.population.explore import Explore, Perturb
from unweave.population.fitness import Fitness, LeafMIG, Scored, UDRFitness, parse_fitness
from unweave.population.folder import PopulationFolder
from unweave.population.making import make_population, parse_tuned
from unweave.population.pb2 import PopulationBasedBandits
from unweave.population.priors import (
    Choice,
    Grid,
    Integers,
    LogIntegers,
    LogUniform,
    Prior,
    Uniform,
)
from unweave.population.rounds import Outcome
from unweave.population.running import run_population
from unweave.population.spec import Population
from unweave.population.stop import Hopeless, Plateau, Reached, StopRule
from unweave.population.table import Row, Task
from unweave.population.tuned import Tuned

__all__ = [
    "Choice",
    "Exploit",
    "Explore",
    "Fitness",
    "Grid",
    "Hopeless",
    "Integers",
    "LeafMIG",
    "LogIntegers",
    "LogUniform",
    "NoExploit",
    "Outcome",
    "Perturb",
    "Plateau",
    "Population",
    "PopulationBasedBandits",
    "PopulationFolder",
    "Prior",
    "Reached",
    "Row",
    "Scored",
    "StopRule",
    "Task",
    "Truncation",
    "Tuned",
    "UDRFitness",
    "Uniform",
    "make_population",
    "parse_fitness",
    "parse_tuned",
    "run_population",
]
