"""Studies: sweeps of trainings that can be interrupted, shared and gone on with."""

from unweave.studies.folder import StudyFolder
from unweave.studies.plan import PlannedRun, plan
from unweave.studies.reading import read_study, study_of
from unweave.studies.running import Executor, run_study
from unweave.studies.spec import ScoreRequest, Study

__all__ = [
    "Executor",
    "PlannedRun",
    "ScoreRequest",
    "Study",
    "StudyFolder",
    "plan",
    "read_study",
    "run_study",
    "study_of",
]
