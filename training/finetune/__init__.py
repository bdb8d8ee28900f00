"""Labelled faces → an embedder made for their attributes: dlib's network, trained further."""

from importlib.util import find_spec

from training.errors import TrainingError

if find_spec("torch") is None:
    raise TrainingError("fine-tuning needs PyTorch: pip install 'face-stream[finetune]'")

from training.finetune.finetuning import finetune
from training.finetune.settings import FinetuneSettings

__all__ = ["FinetuneSettings", "finetune"]
