"""Studies: sweeps of trainings that can be interrupted, shared and gone on with."""

from __future__ import annotations

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

from typing import TYPE_CHECKING

from unweave._lazy import lazy_names

if TYPE_CHECKING:
    from unweave.studies.cleaning import Superfluous, clean, superfluous
    from unweave.studies.costs import Forecast, forecast
    from unweave.studies.folder import StudyFolder
    from unweave.studies.overview import Overview, survey
    from unweave.studies.planning import PlannedRun, plan
    from unweave.studies.reading import read_study, study_of
    from unweave.studies.running import Executor, place_of, run_study
    from unweave.studies.spec import ScoreRequest, Study

_HOMES = {
    "Executor": ".running",
    "Forecast": ".costs",
    "Overview": ".overview",
    "PlannedRun": ".planning",
    "ScoreRequest": ".spec",
    "Study": ".spec",
    "StudyFolder": ".folder",
    "Superfluous": ".cleaning",
    "clean": ".cleaning",
    "forecast": ".costs",
    "place_of": ".running",
    "plan": ".planning",
    "read_study": ".reading",
    "run_study": ".running",
    "study_of": ".reading",
    "superfluous": ".cleaning",
    "survey": ".overview",
}

if not TYPE_CHECKING:
    # How far a study is can be told without torch.
    __getattr__, __dir__ = lazy_names(__name__, __all__, _HOMES)
