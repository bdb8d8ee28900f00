"""Labelled faces → an embedder made for their attributes: dlib's network, trained further."""

from importlib.util import find_spec

from training.errors import TrainingError


def check_torch() -> None:
    """Raises TrainingError where PyTorch is missing, which only fine-tuning needs."""
    if find_spec("torch") is None:
        raise TrainingError("fine-tuning needs PyTorch: pip install 'face-stream[finetune]'")
