"""Trains and evaluates the classifier: labelled pictures → features → a model folder → a report."""

from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

_models = Path(__file__).parents[1] / "models"
_shadowing = ModuleType("shadowing")
SourceFileLoader("shadowing", str(_models / "shadowing.py")).exec_module(_shadowing)
_shadowing.refuse_other_models(_models)
