"""The model that all sources of a run share, and the error that concerns all of them."""

from models.errors import ModelError
from stream.assembly import LoadedModel
from stream.controls import Controls, RunReport
from stream.errors import ConfigError
from stream.frames import SourceInfo
from stream.run import FrameAnnotator
from stream.settings import Config


class SharedModel:
    """Gives the annotators of all sources; several threads may ask for one.

    Args:
        config: the settings.

    Raises:
        ConfigError, ModelError: there is no such model, or it does not fit the settings.

    Attributes:
        error: why no source can be annotated, found when the first one was to be.
    """

    def __init__(self, config: Config) -> None:
        self.error: ConfigError | ModelError | None = None
        self._model = LoadedModel(config)

    def __repr__(self) -> str:
        return f"SharedModel({self._model!r})"

    def annotator(self, info: SourceInfo, controls: Controls, report: RunReport) -> FrameAnnotator:
        """What annotates the frames of a source.

        Raises:
            ConfigError, ModelError: none can be annotated; it is the same error each time.
        """
        try:
            return self._model.annotator(info, controls, report)
        except (ConfigError, ModelError) as error:
            self.error = self.error or error
            raise self.error from None
