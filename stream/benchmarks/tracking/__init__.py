"""The benchmark of tracks and labels: scenes whose truth is known, metrics, tables."""
