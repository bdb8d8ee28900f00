"""The model that all sources of a run share, and the error that concerns all of them."""

from models.errors import ModelError
from stream.controls import Controls, RunReport
from stream.errors import ConfigError
from stream.frames import SourceInfo
from stream.run import FrameAnnotator, LoadAnnotator


class SharedModel:
    """Gives the annotators of all sources; several threads may ask for one.

    Args:
        load: gives the annotator of a source; a model that is loaded once.

    Attributes:
        error: why no source can be annotated, found when the first one was to be.
    """

    def __init__(self, load: LoadAnnotator) -> None:
        self.error: ConfigError | ModelError | None = None
        self._load = load

    def __repr__(self) -> str:
        return f"SharedModel({self.error or 'no error'})"

    def annotator(self, info: SourceInfo, controls: Controls, report: RunReport) -> FrameAnnotator:
        """What annotates the frames of a source.

        Raises:
            ConfigError, ModelError: none can be annotated; it is the same error each time.
        """
        try:
            return self._load(info, controls, report)
        except (ConfigError, ModelError) as error:
            self.error = self.error or error
            raise self.error from None
