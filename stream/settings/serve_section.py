"""The settings of the page in a browser: where it is served, to whom, and within which limits."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

DEFAULT_PORT = 8765
"""Port of the page unless another is asked for; no common service has it."""


class ServeSection(BaseModel):
    """`[serve]`: the page in a browser."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = DEFAULT_PORT
    names: Annotated[tuple[str, ...], Field(strict=False)] = ()
    cert: str = ""
    key: str = ""
    insecure: bool = False
    notice: Annotated[str, Field(max_length=500)] = ""
    folder: Annotated[str, Field(min_length=1)] = "."
    max_disk_gb: Annotated[float, Field(ge=0, le=100_000)] = 10.0
    max_upload_mb: Annotated[float, Field(ge=0, le=10_000)] = 50.0
    max_upload_s: Annotated[float, Field(ge=1, le=3600)] = 120.0
    allow: Annotated[tuple[str, ...], Field(strict=False)] = ()
    max_viewers: Annotated[int, Field(ge=1, le=1000)] = 100
    width: Annotated[int, Field(ge=160, le=3840)] = 960
    fps: Annotated[float, Field(ge=1, le=60)] = 15.0

    @property
    def max_upload_bytes(self) -> int:
        """The largest body of a picture or video that is sent to the page, bytes."""
        return round(self.max_upload_mb * 1e6)

    @property
    def max_disk_bytes(self) -> int:
        """What recordings and snapshots may take together, bytes."""
        return round(self.max_disk_gb * 1e9)
