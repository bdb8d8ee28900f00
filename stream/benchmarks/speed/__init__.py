"""The benchmark of speed: clips, runs that are timed, baselines beside them, tables and a plot."""
