"""Subtitles: boxes and labels as a track beside the untouched video."""
