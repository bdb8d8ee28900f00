"""The settings as the page lists them, and what may be changed there while it runs."""

from collections.abc import Mapping
from typing import Any

from stream.settings import Config
from stream.settings.shipped import described_settings

_LIVE = ("detection", "labels", "overlay")
"""Sections that take effect while a source runs."""

_FIXED = {
    "labels.attributes": "the columns of what is written are fixed when a run begins",
    "overlay.blur": "it is switched for each source, by its own control",
}
"""Settings of these that do not, and why."""

_PLACES = frozenset(
    {
        *("source.address", "engine.model", "engine.device", "engine.embedder", "engine.runtime"),
        *("serve.host", "serve.port", "serve.names", "serve.cert", "serve.key", "serve.folder"),
        *("serve.allow", "serve.insecure", "camera.backend"),
    }
)
"""Settings that name a path, an address, a device or a model."""

_NAMES_PLACE = "it names a path, an address, a device or a model, which are chosen at the start"
"""Why these cannot be changed."""

_BLURRED = "faces are blurred from the start of the run: one that is not found would be shown"
"""Why no setting of the search can be changed then."""

_AT_START = "it takes effect at the start only"
"""Why others cannot be changed."""

_KINDS = {
    "number": "number",
    "integer": "integer",
    "boolean": "switch",
    "string": "text",
    "array": "list",
    "object": "table",
}
"""What a setting is, by the type that JSON Schema gives it."""


def listed_settings(
    config: Config, *, may_control: bool, blur_fixed: bool = False
) -> list[dict[str, Any]]:
    """All settings as JSON has them.

    Args:
        config: the settings in force.
        may_control: for one who may change them; others are not told of paths and addresses.
        blur_fixed: see `why_fixed`.
    """
    schema = Config.model_json_schema()
    described, values = described_settings(), config.model_dump(mode="json")
    listed = []
    for section, settings in values.items():
        fields = _resolved(schema["properties"][section], schema)["properties"]
        for name, value in settings.items():
            key = f"{section}.{name}"
            why_not = why_fixed(key, blur_fixed=blur_fixed)
            listed.append(
                {
                    "key": key,
                    "value": value if may_control or key not in _PLACES else None,
                    **_form(fields[name], schema),
                    "description": described.get((section, name), ""),
                    "editable": may_control and not why_not,
                    "why_not": why_not or ("" if may_control else "this token only watches"),
                }
            )
    return listed


def why_fixed(key: str, *, blur_fixed: bool = False) -> str:
    """Why a setting cannot be changed while the page runs; empty where it can.

    Args:
        key: section and name.
        blur_fixed: faces were to be blurred from the start.
    """
    if key in _PLACES:
        return _NAMES_PLACE
    if key in _FIXED:
        return _FIXED[key]
    section = key.partition(".")[0]
    if section == "detection" and blur_fixed:
        return _BLURRED
    return "" if section in _LIVE else _AT_START


def _form(field: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Kind, range and choices of a setting."""
    options = [_resolved(each, schema) for each in field.get("anyOf", [field])]
    choices = [value for each in options for value in each.get("enum", [])]
    choices += [each["const"] for each in options if "const" in each]
    others = [each for each in options if "enum" not in each and "const" not in each]
    kind = _KINDS.get(others[0].get("type", ""), "text") if others else "choice"
    low = [
        each[bound] for each in others for bound in ("minimum", "exclusiveMinimum") if bound in each
    ]
    high = [each["maximum"] for each in others if "maximum" in each]
    return {
        "kind": kind,
        "minimum": low[0] if low else None,
        "maximum": high[0] if high else None,
        "choices": choices or None,
    }


def _resolved(part: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """A part of a JSON schema, where it stands."""
    reference = part.get("$ref") or next((each.get("$ref") for each in part.get("allOf", [])), None)
    if reference is None:
        return part
    found: Mapping[str, Any] = schema["$defs"][reference.rpartition("/")[2]]
    return found
