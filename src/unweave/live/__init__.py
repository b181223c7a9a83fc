"""A page of a training while it runs, served on this machine alone."""

from unweave.live.reading import RunView, find_views, summary
from unweave.live.server import LiveServer

__all__ = ["LiveServer", "RunView", "find_views", "summary"]
