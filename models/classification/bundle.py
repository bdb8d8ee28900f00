"""A bundle: the model folder that the stream loads and training writes.

```
manifest.json   format version, sha256 of itself and of every other file, embedder, attributes and
                default ones, the detector that found the faces, short names of classes, provenance
card.md         what it was made of, how good it is and for whom, what it must not be used for
correction.json how it errs on held-out faces, by which counts are corrected; it may be missing
gender.onnx …   one head an attribute, the embedder where it is not dlib's, calibration.json
```

Nothing in it is run on loading: ONNX holds no code, and a pickle is never read. A folder may come
from anywhere: files are read as `safe_files` allows, graphs as `graph_check` does.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.classification.label_names import check_label_names, check_short_names, check_tree
from models.digests import content_digest
from models.errors import ModelError, ModelWriteError
from models.program.printable import printable
from models.safe_files import UnfitFileError, check_inside, parse_json, read_regular

FORMAT_VERSION = 2
"""Version of the format that is written: 2 added `default_attributes`, `detector`, `short_names`,
`tree`, `calibration`."""

_DROPPED_KEY = "confusion"
"""A key of manifests of version 2 that nothing has ever read; it is passed over."""

_READ_VERSIONS = (1, FORMAT_VERSION)
"""Versions that are read: what 2 added is unknown in a bundle of version 1."""

DEFAULT_FOLDER = Path(__file__).parents[1] / "default"
"""The bundle that ships, on an embedder that was made for its attributes."""

DLIB_FOLDER = Path(__file__).parents[1] / "dlib"
"""The bundle on dlib's own embedder, which ships beside it."""

MANIFEST_FILE = "manifest.json"
"""Name of the file that says what a bundle holds."""

CARD_FILE = "card.md"
"""Name of the model card."""

CORRECTION_FILE = "correction.json"
"""Name of the file by which counts are corrected; a bundle may have none."""

_MAX_MANIFEST_BYTES = 1 << 20
"""Size of a manifest at most, bytes; those that ship have 8,000."""

_MAX_FOLDER_BYTES = 512 << 20
"""Size of all other files together at most, bytes; the model that ships has 14 MB, and a forest for
seven classes 22 MB."""

MAX_DIMENSIONS = 1 << 16
"""Length of an embedding at most; the longest in use anywhere have 4,096."""

_WITHOUT_DIGEST = 1
"""Version of the format in which a manifest need not have a digest of itself."""


class _ManifestPart(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=True)


class EmbedderSpec(_ManifestPart):
    """Which embedding the heads were fitted on.

    `file` is None for dlib's own weights; `appearance_dimensions` is how many of its first numbers
    tell people apart, None for all of them. In the manifest that field is named `identity`.
    """

    name: str
    dimensions: int = Field(gt=0, le=MAX_DIMENSIONS)
    chip_size: int = Field(gt=0, le=MAX_DIMENSIONS)
    file: str | None = None
    appearance_dimensions: int | None = Field(
        default=None, gt=0, validation_alias="identity", serialization_alias="identity"
    )


class HeadSpec(_ManifestPart):
    """One attribute: its classes in the order of the head's output."""

    attribute: str
    classes: tuple[str, ...] = Field(min_length=2)
    file: str


class Manifest(_ManifestPart):
    """What `manifest.json` holds.

    Attributes:
        format_version: of the format.
        embedder: what the heads were fitted on.
        attributes: the heads.
        default_attributes: those that are labelled unless others are asked for; empty for all.
        detector: which detector found the faces that the heads were fitted on, `NO_DETECTOR` for
            pictures that were aligned already, None where it is not known.
        short_names: attribute → class → a short form of its name, for where there is little room;
            a class without one keeps its name.
        tree: attribute → coarser words, each for some of its classes, which may overlap: said where
            no class is sure.
        calibration: the file of the calibration by view; None where there is none.
        files: name → sha256.
        provenance: the maker's to fill (data, settings, figures).
        digest: sha256 of all the rest.
    """

    format_version: int = FORMAT_VERSION
    embedder: EmbedderSpec
    attributes: tuple[HeadSpec, ...]
    default_attributes: tuple[str, ...] = ()
    detector: str | None = Field(default=None, min_length=1)
    short_names: dict[str, dict[str, str]] = Field(default_factory=dict)
    tree: dict[str, dict[str, tuple[str, ...]]] = Field(default_factory=dict)
    calibration: str | None = None
    files: dict[str, str] = Field(default_factory=dict)
    provenance: dict[str, Any] = Field(default_factory=dict)
    digest: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """A model folder that was read and found complete; `files` are the bytes that were checked."""

    folder: Path
    manifest: Manifest
    files: Mapping[str, bytes]

    def __repr__(self) -> str:
        names = ", ".join(head.attribute for head in self.manifest.attributes)
        return f"Bundle({self.folder.name}: {names} on {self.manifest.embedder.name})"

    @property
    def default_attributes(self) -> tuple[str, ...]:
        """The attributes that are labelled unless others are asked for."""
        manifest = self.manifest
        return manifest.default_attributes or tuple(each.attribute for each in manifest.attributes)

    @property
    def short_names(self) -> Mapping[str, Mapping[str, str]]:
        """Attribute → class → short form of its name; classes that have none are left out."""
        return self.manifest.short_names


def load_bundle(folder: Path) -> Bundle:
    """Reads a bundle and checks it to the byte.

    Raises:
        ModelError: a file is missing, changed, foreign, too large or no regular file, or the format
            is unknown.
    """
    manifest = read_manifest(folder)
    present = {path.name for path in folder.iterdir()} - {MANIFEST_FILE}
    if missing := sorted(manifest.files.keys() - present):
        raise ModelError(f"{folder}: {missing[0]} is missing: fit the model again")
    if foreign := sorted(present - manifest.files.keys()):
        raise ModelError(f"{folder}: {foreign[0]} does not belong to the model: take it out")
    files: dict[str, bytes] = {}
    for name, expected in manifest.files.items():
        files[name] = _read(folder / name, _MAX_FOLDER_BYTES - sum(map(len, files.values())))
        if hashlib.sha256(files[name]).hexdigest() != expected:
            raise ModelError(f"{folder}: {name} was changed since the model was made")
    return Bundle(folder, manifest, files)


def read_short_names(folder: Path) -> Mapping[str, Mapping[str, str]]:
    """The short names of a bundle, of which nothing but the manifest is read.

    Raises:
        ModelError: it has no manifest, or one that cannot be understood.
    """
    return read_manifest(folder).short_names


def save_bundle(folder: Path, manifest: Manifest, files: Mapping[str, bytes]) -> None:
    """Writes a bundle beside its folder and moves it into place; an earlier one is replaced.

    Args:
        folder: the model folder; its parent is made if need be.
        manifest: its `files` are filled in here.
        files: `card.md` and every file that the manifest names, and `correction.json` or not.

    Raises:
        ModelError: the folder is not a model folder.
        ModelWriteError: the disk refuses; an earlier model stays.
    """
    named = _named_files(manifest)
    if named != files.keys() - {CORRECTION_FILE}:
        raise ValueError(f"expected the files {sorted(named)}, got {sorted(files)}")
    folder = folder.resolve()  # a link goes on pointing to it
    if folder.exists() and not (folder / MANIFEST_FILE).is_file():
        raise ModelError(f"{folder} exists and is not a model folder: name another")
    sums = {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())}
    content = manifest.model_copy(update={"files": sums}).model_dump(mode="json", by_alias=True)
    content["digest"] = content_digest(content)
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            for name, data in {**files, MANIFEST_FILE: text.encode()}.items():
                (aside / name).write_bytes(data)
            aside.chmod(0o755)
            if folder.exists():
                old = aside.with_name(aside.name + "-old")
                os.rename(folder, old)
                os.rename(aside, folder)
                shutil.rmtree(old)
            else:
                os.rename(aside, folder)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        raise ModelWriteError(f"cannot write the model to {folder}: {error.strerror}") from error


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a model folder, checked but for the files that it names."""
    path = folder / MANIFEST_FILE
    if not os.path.isdir(folder):  # unlike Path.is_dir it takes any text
        raise ModelError(f"{folder} is not a folder: a model is a folder with {MANIFEST_FILE}")
    if not path.is_file():
        raise ModelError(f"{folder} is not a model folder: it has no {MANIFEST_FILE}")
    try:
        content = parse_json(_read(path, _MAX_MANIFEST_BYTES))
        version = content.get("format_version") if isinstance(content, dict) else None
        if type(version) is not int or version not in _READ_VERSIONS:
            known = " and ".join(map(str, _READ_VERSIONS))
            raise ModelError(
                f"{folder} has format version {version!r}, this program reads {known}: "
                "update the program or fit the model again"
            )
        digest = content_digest(content)  # as it stands there, whatever is read into it below
        content["format_version"] = FORMAT_VERSION
        content.pop(_DROPPED_KEY, None)
        manifest = Manifest.model_validate(content, by_name=False)
        _check_names(manifest)
        json.dumps(content, ensure_ascii=False).encode()  # half a character anywhere is no text
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = printable(".".join(map(str, first["loc"])))
        raise ModelError(f"{path} cannot be understood: {place}: {first['msg']}") from error
    except (UnfitFileError, ValueError, RecursionError) as error:
        raise ModelError(f"{path} cannot be understood: {error}") from error
    _check_files(path, manifest)
    has_digest = version > _WITHOUT_DIGEST or manifest.digest is not None
    if has_digest and manifest.digest != digest:
        raise ModelError(f"{path} was changed since the model was made: take it as it was made")
    return manifest


def _check_files(path: Path, manifest: Manifest) -> None:
    """Checks that a manifest names the files of the model, with their digests, and no others."""
    for name in manifest.files:
        if Path(name).name != name or name == MANIFEST_FILE:
            raise ModelError(f"{path} names {name!r}, which is not a file of the folder")
    if unlisted := sorted(_named_files(manifest) - manifest.files.keys()):
        raise ModelError(f"{path} has no sha256 of {unlisted[0]}: fit the model again")
    if surplus := sorted(manifest.files.keys() - _named_files(manifest) - {CORRECTION_FILE}):
        raise ModelError(f"{path} names {surplus[0]!r}, which is no part of the model")


def _check_names(manifest: Manifest) -> None:
    """Raises ValueError where names of attributes or classes are ambiguous or unknown."""
    classes = {head.attribute: head.classes for head in manifest.attributes}
    check_label_names((head.attribute, head.classes) for head in manifest.attributes)
    for field in ("default_attributes", "short_names", "tree"):
        if unknown := sorted(set(getattr(manifest, field)) - classes.keys()):
            raise ValueError(f"{field} names {unknown[0]!r}, which is none of its attributes")
    for attribute, short in manifest.short_names.items():
        check_short_names(attribute, classes[attribute], short)
    for attribute, words in manifest.tree.items():
        check_tree(attribute, classes[attribute], words)


def _named_files(manifest: Manifest) -> set[str]:
    """The names of the files of a bundle beside its manifest."""
    named = {CARD_FILE, *(head.file for head in manifest.attributes)}
    optional = (manifest.embedder.file, manifest.calibration)
    return named.union(name for name in optional if name is not None)


def _read(path: Path, max_bytes: int) -> bytes:
    try:
        check_inside(path, path.parent)
        return read_regular(path, max_bytes)
    except UnfitFileError as error:
        raise ModelError(f"{path} {error}") from error
