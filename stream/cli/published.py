"""The options of outputs, as outputs."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stream.cli import options

if TYPE_CHECKING:
    from stream.sinks import Outputs


def asked_outputs(
    saved: Sequence[str] | None,
    *,
    log: Path | None = None,
    snapshots: Path | None = None,
    sheet: Path | None = None,
    subtitles: Path | None = None,
    events: bool = False,
    virtual_camera: bool = False,
    mqtt: str | None = None,
    webhooks: Sequence[str] | None = None,
    show: bool = True,
    overwrite: bool = False,
) -> "Outputs":
    """What a command is asked to write, to show and to send on.

    Raises:
        ConfigError: an address cannot be sent to, or two files are named for one video.
    """
    from stream.sinks import Outputs
    from stream.sinks.publishing.destinations import saved_file, split_saved
    from stream.sinks.publishing.services import broker, web_service

    files, streams = split_saved(saved or ())
    name = saved_file(files)
    save = None if name is None else options.output_path(name)
    return Outputs(
        save=save,
        log=log,
        snapshots=snapshots,
        sheet=sheet,
        subtitles=subtitles,
        events=events,
        show=show,
        overwrite=overwrite,
        folders=options.written_as_folders(save=save, log=log, sheet=sheet, subtitles=subtitles),
        streams=streams,
        virtual_camera=virtual_camera,
        mqtt=None if mqtt is None else broker(mqtt),
        webhooks=tuple(map(web_service, webhooks or ())),
    )
