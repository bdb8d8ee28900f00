"""The settings of features as a command line."""

from training.datasets.samples import Samples
from training.datasets.splits import SEED, HoldOut
from training.features.extractor import ExtractionSettings
from training.features.views import FILMED
from training.outputs import quoted, short_path


def features_command(
    samples: Samples, settings: ExtractionSettings, hold_out: HoldOut, seed: int
) -> str:
    """The command that makes a table with these settings."""
    words = [f"face-train features {quoted(samples.root.resolve().name)} --out features.parquet"]
    if settings.embedder is not None:
        words.append(f"--embedder {quoted(short_path(settings.embedder))}")
    if not settings.mirror:
        words.append("--no-mirror")
    if settings.filmed != FILMED:
        words.append(f"--filmed {settings.filmed}")
    return " ".join([*words, *dataset_options(samples, settings, hold_out, seed)])


def dataset_options(
    samples: Samples, settings: ExtractionSettings, hold_out: HoldOut, seed: int
) -> list[str]:
    """The options that say which faces are taken and held out, but for those of the default."""
    default = ExtractionSettings()
    words = list(samples.asked)
    if settings.aligned != samples.aligned:
        words.append("--aligned" if settings.aligned else "--no-aligned")
    if settings.faces != default.faces:
        words.append(f"--faces {settings.faces}")
    if not settings.aligned:
        words.append(f"--detector {settings.detector}")  # the default may become another one
    if hold_out != HoldOut():
        words.append(f"--hold-out {hold_out.text}")
    if seed != SEED:
        words.append(f"--seed {seed}")
    return words
