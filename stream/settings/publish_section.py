"""The settings of what is sent on."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from stream.addresses import SECRET_PLACE


class PublishSection(BaseModel):
    """`[publish]`: how results are sent on while they come."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    timeout_s: Annotated[float, Field(ge=0.5, le=300)] = 10.0
    pipe: Literal["matroska", "mpegts"] = "matroska"
    hls_segment_s: Annotated[float, Field(ge=0.5, le=60)] = 2.0
    hls_segments: Annotated[int, Field(ge=0, le=100_000)] = 10
    webhook_secret: str = ""
    discovery: Annotated[str, Field(pattern=r"^[^+#\x00]*$")] = "homeassistant"

    @field_validator("webhook_secret")
    @classmethod
    def _is_named(cls, secret: str) -> str:
        """Settings are printed, so they must not hold the secret itself."""
        if secret and not secret.startswith(("@", "$")):
            raise ValueError(SECRET_PLACE)
        return secret
