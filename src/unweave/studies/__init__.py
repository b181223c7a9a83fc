"""Studies: sweeps of trainings that can be interrupted, shared and gone on with."""

from unweave.studies.cleaning import Superfluous, clean, superfluous
from unweave.studies.costs import Forecast, forecast
from unweave.studies.folder import StudyFolder
from unweave.studies.overview import Overview, survey
from unweave.studies.plan import PlannedRun, plan
from unweave.studies.reading import read_study, study_of
from unweave.studies.running import Executor, place_of, run_study
from unweave.studies.spec import ScoreRequest, Study

__all__ = [
    "Executor",
    "Forecast",
    "Overview",
    "PlannedRun",
    "ScoreRequest",
    "Study",
    "StudyFolder",
    "Superfluous",
    "clean",
    "forecast",
    "place_of",
    "plan",
    "read_study",
    "run_study",
    "study_of",
    "superfluous",
    "survey",
]
