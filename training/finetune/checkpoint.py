"""Checkpoints: the whole state of a training run on disk, from which a killed run goes on."""

import io
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from training.errors import DatasetError, TrainingError
from training.outputs import write_whole

CHECKPOINT_FILE = "checkpoint.pt"
"""Name of the checkpoint in the folder of a run."""

CHECKPOINT_FORMAT = 2
"""Version of what is in it; another one is refused."""


def write_checkpoint(path: Path, run: Mapping[str, Any], state: Mapping[str, Any]) -> None:
    """Writes the state of a run.

    Args:
        path: of the checkpoint.
        run: what tells the run from others, see `read_checkpoint`.
        state: weights, counters, and the log so far.

    Raises:
        OutputError: the disk refuses.
    """
    # Into memory first: PyTorch hides why the disk refused.
    content = io.BytesIO()
    torch.save({"format": CHECKPOINT_FORMAT, "run": run, **state}, content)
    write_whole(path, content.getvalue())


def read_checkpoint(
    path: Path, run: Mapping[str, Any], device: torch.device
) -> dict[str, Any] | None:
    """The state that `write_checkpoint` wrote, on a device; None where there is no checkpoint.

    Raises:
        DatasetError: the checkpoint is of another run.
        TrainingError: it cannot be read, or is in another format.
    """
    if not path.is_file():
        return None
    try:
        state = torch.load(path, map_location=device, weights_only=True)
    except (OSError, EOFError, RuntimeError, UnpicklingError) as error:
        raise TrainingError(f"{path} cannot be read: delete it to begin anew") from error
    if not isinstance(state, dict) or state.get("format") != CHECKPOINT_FORMAT:
        raise TrainingError(
            f"{path} is in a format that is not known here: delete it to begin anew"
        )
    if state["run"] != run:
        raise DatasetError(
            f"{path} is of a run with other faces, labels, teachers or settings: "
            "name another folder"
        )
    return state
