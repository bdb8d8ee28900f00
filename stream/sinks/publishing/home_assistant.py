"""What Home Assistant is told of a source, so that it shows it: MQTT discovery of a device."""

import hashlib
from typing import Any

_EVENT_TYPES = ("appeared", "labelled", "gone")
"""The events that there are, as `stream.sinks.data.events` names them."""

_EVENT_TEMPLATE = (
    "{{ {'event_type': value_json.event, 'track': value_json.track, 'person': value_json.person, "
    "'labels': value_json.labels, 'box': value_json.box, 'source': value_json.source} | to_json }}"
)
"""What of an event Home Assistant keeps: it asks for the type under a name of its own."""


def discovery_topic(prefix: str, topic: str) -> str:
    """Where the device is described.

    Args:
        prefix: the setting of Home Assistant, `homeassistant` by default.
        topic: of the source.
    """
    return f"{prefix}/device/{_object_id(topic)}/config"


def birth_topic(prefix: str) -> str:
    """Where Home Assistant says that it has started, and so has forgotten the device."""
    return f"{prefix}/status"


def discovery(topic: str, source: str) -> dict[str, Any]:
    """The device: a sensor that counts faces, whether the program runs, and the events.

    Args:
        topic: of the source.
        source: its name for people.
    """
    state, own = f"{topic}/state", _object_id(topic)
    available = {
        "topic": state,
        "value_template": "{{ 'online' if value and value_json.online else 'offline' }}",
    }
    return {
        "device": {
            "identifiers": [own],
            "name": f"face-stream {source}",
            "manufacturer": "face-stream",
        },
        "origin": {"name": "face-stream"},
        "components": {
            "faces": {
                "platform": "sensor",
                "name": "Faces",
                "unique_id": f"{own}_faces",
                "icon": "mdi:face-recognition",
                "state_class": "measurement",
                "state_topic": state,
                "value_template": "{{ value_json.faces if value else None }}",
                "availability": [available],
            },
            "online": {
                "platform": "binary_sensor",
                "name": "Online",
                "unique_id": f"{own}_online",
                "device_class": "connectivity",
                "state_topic": state,
                "value_template": "{{ 'ON' if value and value_json.online else 'OFF' }}",
            },
            "events": {
                "platform": "event",
                "name": "Person",
                "unique_id": f"{own}_events",
                "event_types": list(_EVENT_TYPES),
                "state_topic": f"{topic}/events",
                "value_template": _EVENT_TEMPLATE,
                "availability": [available],
            },
        },
    }


def _object_id(topic: str) -> str:
    """A name of the device that no other topic has."""
    return f"face_stream_{hashlib.sha256(topic.encode()).hexdigest()[:12]}"
