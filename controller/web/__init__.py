"""The page: what the snapshot tells, for whoever would rather look than ask."""
