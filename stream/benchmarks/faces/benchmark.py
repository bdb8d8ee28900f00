"""The benchmark of detection: labelled pictures as a run annotates them, judged."""

from dataclasses import dataclass
from pathlib import Path

from stream.benchmarks.faces.judgement import FaceJudgement, judge
from stream.benchmarks.faces.truth import read_truth
from stream.settings import Config
from stream.settings.schema import DetectionSection
from stream.short_forms import annotate
from stream.sources.pictures import PictureSource


@dataclass(frozen=True, slots=True)
class FacesReport:
    """What was found in the labelled pictures of a folder.

    Attributes:
        judgement: over all pictures that could be read.
        missing: the labelled pictures that could not.
        detection: the settings that the pictures were searched by.
    """

    judgement: FaceJudgement
    missing: tuple[str, ...]
    detection: DetectionSection

    def as_dict(self) -> dict[str, object]:
        """The report as JSON has it."""
        return {
            **self.judgement.as_dict(),
            "missing": list(self.missing),
            "detection": self.detection.model_dump(),
        }


def measure_faces(folder: Path, truth: Path, config: Config) -> FacesReport:
    """Finds faces in labelled pictures as `run` does, and judges the boxes that its log has.

    Args:
        folder: the pictures; others than the labelled ones are not looked at.
        truth: the file of labels, see `read_truth`.
        config: the settings, as for `run`.

    Raises:
        SourceError: the labels cannot be read, or none of their pictures.
        ConfigError, ModelError: as for `run`.
    """
    labelled = {folder / each.name: each for each in read_truth(truth)}
    judgement = FaceJudgement()
    source = PictureSource(str(folder), [path for path in labelled if path.is_file()])
    for frame, tracks in annotate(source, config):
        if frame.path is not None:
            picture = labelled.pop(frame.path)
            judgement += judge(picture, [track.as_dict()["box"] for track in tracks])
    return FacesReport(judgement, tuple(each.name for each in labelled.values()), config.detection)
