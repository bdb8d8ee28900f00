"""Frames of a video as pictures with marked faces, for people to correct."""
