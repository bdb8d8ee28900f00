"""The one rule on names of labels and classes, for whoever makes, reads or logs them."""

from collections.abc import Iterable, Mapping, Sequence

RESERVED_COLUMNS = frozenset(
    {
        # the tables of faces and of people
        *("frame", "time_s", "file", "track", "person", "left", "top", "right", "bottom"),
        *("score", "missed", "quality", "picture", "frame_width", "frame_height"),
        *("first_s", "last_s", "frames", "best_frame", "best_s", "tracks", "seconds"),
        # the tables of features
        *(
            "face",
            "mirrored",
            "filmed",
            "identity",
            "split",
            "face_px",
            "sharpness",
            "picture_hash",
        ),
        "embedding",
    }
)
"""Columns of the tables that `face-stream` and `face-train` write, beside those of labels."""

CONFIDENCE = "confidence"
"""What follows the name of a label in the column of its confidence: `gender_confidence`."""

MAX_CLASSES = 1_000
"""Classes of all labels together at most; each is a column of the tables."""

MAX_NAME_LETTERS = 200
"""Letters of the name of a label or a class at most; longer ones cannot be drawn on a picture."""


def check_label_names(attributes: Iterable[tuple[str, Sequence[str]]]) -> None:
    """Checks that the columns of labels in a table differ from one another and from all others.

    Each attribute has a column of its name, one of its confidence, and one for each class.

    Args:
        attributes: each attribute with its classes.

    Raises:
        ValueError: a name is empty, too long or no text, there are too many classes, or two columns
            would have one name.
    """
    attributes = list(attributes)
    if (count := sum(len(classes) for _, classes in attributes)) > MAX_CLASSES:
        raise ValueError(f"there are {count} classes, more than {MAX_CLASSES}")
    owners = dict.fromkeys(RESERVED_COLUMNS, "a column of the tables")
    for attribute, classes in attributes:
        for name in (attribute, *classes):
            _check_text(name)
        columns = {attribute: f"the label {attribute!r}"}
        for name in (CONFIDENCE, *classes):
            column = f"{attribute}_{name}"
            what = f"the class {name!r} of {attribute!r}"
            if column in columns:
                raise ValueError(
                    f"a class of {attribute!r} cannot be called {name!r}: "
                    f"the column {column!r} would stand for two things; rename it"
                )
            columns[column] = what
        for column, what in columns.items():
            if column in owners:
                raise ValueError(
                    f"a label cannot be called {attribute!r}: "
                    f"the column {column!r} is that of {owners[column]} too; rename it"
                )
            owners[column] = what


def check_short_names(
    attribute: str, classes: Sequence[str], short_names: Mapping[str, str]
) -> None:
    """Checks that the classes of an attribute differ from one another by their short names too.

    Args:
        attribute: its name.
        classes: its classes; one without a short name keeps its own.
        short_names: class → short name.

    Raises:
        ValueError: a class is unknown, or a short name is empty, no text or that of two classes.
    """
    if unknown := sorted(short_names.keys() - set(classes)):
        raise ValueError(f"short_names has {unknown[0]!r}, which is no class of {attribute!r}")
    owners: dict[str, str] = {}
    for name in classes:
        short = short_names.get(name, name)
        _check_text(short)
        if short in owners:
            raise ValueError(
                f"{owners[short]!r} and {name!r} of {attribute!r} would both be called {short!r}; "
                "rename one in short_names"
            )
        owners[short] = name


def check_tree(attribute: str, classes: Sequence[str], tree: Mapping[str, Sequence[str]]) -> None:
    """Checks that coarser words of an attribute stand for some of its classes; they may overlap.

    Args:
        attribute: its name.
        classes: its classes.
        tree: coarser word → the classes that it stands for.

    Raises:
        ValueError: a word is that of a class, or stands for fewer than two classes, for one twice,
            or for one that there is not.
    """
    if len(tree) > MAX_CLASSES:
        raise ValueError(f"tree has {len(tree)} words for {attribute!r}, more than {MAX_CLASSES}")
    for word, members in tree.items():
        _check_text(word)
        if word in classes:
            raise ValueError(f"tree has {word!r}, which is a class of {attribute!r} itself")
        if len(members) < 2 or len(set(members)) < len(members):
            raise ValueError(
                f"tree: {word!r} of {attribute!r} needs two classes or more, each once"
            )
        if unknown := [name for name in members if name not in classes]:
            raise ValueError(
                f"tree: {word!r} has {unknown[0]!r}, which is no class of {attribute!r}"
            )


def _check_text(name: str) -> None:
    """Checks that a name is text that can be written and drawn."""
    if not name:
        raise ValueError("a label or a class has an empty name; give it one")
    if len(name) > MAX_NAME_LETTERS:
        raise ValueError(
            f"the name {name[:20]!a}… has {len(name)} letters, more than {MAX_NAME_LETTERS}; "
            "shorten it"
        )
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"the name {name!a} holds half a character and is no text; rename it"
        ) from error
