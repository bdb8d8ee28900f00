"""The API as OpenAPI describes it, made from the routes themselves."""

import re
from collections.abc import Iterable
from typing import Any

from starlette.routing import BaseRoute, Route, WebSocketRoute

_VERSION = "3.1.0"
"""Version of OpenAPI."""

_BODIES = {
    ("/api/sources", "post"): {"address": {"type": ["string", "integer"]}},
    ("/api/sources/{number}/controls", "post"): {
        name: {"type": "boolean"} for name in ("paused", "recording", "blur", "snapshot")
    },
    ("/api/settings", "patch"): {},
}
"""What is sent as JSON, by address and method."""

_FILES = {("/api/analyze", "post"), ("/api/uploads", "post")}
"""Where a picture or a video is sent."""

_ERROR = {
    "description": "What is wrong, and what to do.",
    "content": {
        "application/json": {
            "schema": {"type": "object", "properties": {"error": {"type": "string"}}}
        }
    },
}
"""How every refusal is answered."""


def described(routes: Iterable[BaseRoute]) -> dict[str, Any]:
    """All addresses that are answered, what each does, and what it takes."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        if isinstance(route, Route | WebSocketRoute):
            path = re.sub(r":\w+\}", "}", route.path)
            methods = route.methods if isinstance(route, Route) else {"GET"}
            for method in sorted((methods or set()) - {"HEAD"}):
                paths.setdefault(path, {})[method.lower()] = _operation(route, path, method.lower())
    return {
        "openapi": _VERSION,
        "info": {"title": "face-stream", "version": "1"},
        "security": [{"token": []}],
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
        "paths": paths,
    }


def _operation(route: Route | WebSocketRoute, path: str, method: str) -> dict[str, Any]:
    names = re.findall(r"\{(\w+)", path)
    operation: dict[str, Any] = {
        "summary": (route.endpoint.__doc__ or "").strip().splitlines()[0],
        "parameters": [
            {
                "name": name,
                "in": "path",
                "required": True,
                "schema": {"type": "integer" if name in ("number", "track") else "string"},
            }
            for name in names
        ],
        "responses": {"200": {"description": "It is done."}, "default": _ERROR},
    }
    if (properties := _BODIES.get((path, method))) is not None:
        schema = {"type": "object", "properties": properties}
        operation["requestBody"] = {"content": {"application/json": {"schema": schema}}}
    elif (path, method) in _FILES:
        operation["requestBody"] = {"content": {"application/octet-stream": {}}}
    if path == "/api/analyze":
        picture = {"name": "picture", "in": "query", "schema": {"enum": ["1"]}}
        operation["parameters"].append(picture)
    return operation
