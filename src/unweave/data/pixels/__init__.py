"""Images by flat index: stored on disk, chosen, composed or added up when they are read."""
