"""Labelled pictures → a feature table: faces found and embedded, with their labels."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from training.features.extraction import extract_features
    from training.features.side_files import skipped_path

__all__ = ["extract_features", "skipped_path"]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first used: a module of this room needs no other."""
    if name in __all__:
        from training.features import extraction, side_files

        return getattr(extraction if name == "extract_features" else side_files, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
