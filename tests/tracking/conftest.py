"""Stand-ins are imported by their name alone: as doctests they would be members a second time."""

collect_ignore = ["stand_ins.py"]
