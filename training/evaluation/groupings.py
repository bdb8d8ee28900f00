"""By which label columns the faces of a report are grouped."""

from collections.abc import Container, Mapping

from training.features.table import Column, FeatureTable

_MAX_GROUPS = 20
"""Values of a label column, at most, by which faces are grouped; more are names or numbers."""

_MAX_GROUPINGS = 8
"""Label columns, at most, by which the faces of each attribute are grouped. Each costs time and
room in a report for every attribute: with many labels both grow with the square of their number."""


def groupings(
    table: FeatureTable, predicted: Container[str], truths: Mapping[str, Column]
) -> tuple[dict[str, Column], list[str]]:
    """The columns by which faces are grouped, and a line where not all of them could be.

    1. What the model predicts comes first, then the other label columns of few values.
    2. Flags from which another attribute follows are left out: that attribute says the same.
    3. Of very many columns the first are taken.

    Args:
        table: the faces.
        predicted: the attributes that the model predicts.
        truths: attribute → the labels `(n,)` in the model's names.
    """
    others = {
        name: column
        for name, column in table.labels.items()
        if name not in predicted and len(set(column) - {None}) <= _MAX_GROUPS
    }
    flags = {
        flag for each in table.info.flag_attributes for flag in each.flags if flag != each.attribute
    }
    columns = {name: each for name, each in {**truths, **others}.items() if name not in flags}
    kept = dict(list(columns.items())[:_MAX_GROUPINGS])
    if len(kept) == len(columns):
        return kept, []
    names = ", ".join(kept)
    return kept, [
        f"accuracy is shown within the groups of {names} only, of {len(columns)} labels: make a "
        "table with --labels to see it within others"
    ]
