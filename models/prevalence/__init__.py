"""Shares of classes among many faces, corrected for what a model is known to confuse."""
