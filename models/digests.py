"""A digest of what JSON says, by which a change of it is noticed."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

DIGEST = "digest"
"""Key of the digest, which covers all that stands beside it."""


def content_digest(content: Mapping[str, Any]) -> str:
    """The sha256 of a JSON object but for its digest, whatever its layout and the order of keys."""
    covered = {name: value for name, value in content.items() if name != DIGEST}
    text = json.dumps(covered, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
