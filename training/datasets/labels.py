"""What a label says: which texts mean that there is none, and which names are the same."""

import re
import unicodedata

_MISSING = frozenset(
    {
        *("", "nan", "-nan", "none", "null", "nil", "nat"),
        *("n/a", "na", "n.a.", "n/d", "n.d.", "k.a.", "s/d", "\u043d/\u0434"),
        *("<na>", "<null>", "<none>", "#n/a", "#na", "#n/an/a", "#null!"),
        *("#value!", "#ref!", "#div/0!", "#name?", "#num!"),
        *("1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan"),
        *("?", "??", "???", "-", "--", "---", "\u2013", "\u2014", ".", "..", "..."),
    }
)
"""What tables write where a value is missing, in small letters and without spaces: pandas', R's,
spreadsheets', and what people do."""

_LONGEST_MISSING = 24
"""Characters of a text, at most, that is looked up among these; more, unless all are spaces, are a
label."""

_UNSEEN = frozenset({"Cc", "Cf"})
"""Categories of characters that are not seen, such as a space without width; spaces and line breaks
among them count as spaces."""


def known(text: str | None) -> str | None:
    """A label, or None where its text says that there is none."""
    if text is None or (len(text) > _LONGEST_MISSING and not text.isspace()):
        return text
    return None if _folded(text) in _MISSING else text


def alike_key(name: str) -> str:
    """The same for names that differ in letter case, spaces, the form of their letters or
    characters that are not seen only."""
    return _folded(name).replace("_", "")


def _folded(text: str) -> str:
    """A text in small letters of one form, without spaces and characters that are not seen."""
    if text.isascii():
        folded = text.casefold()
    else:
        folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    seen = "".join(
        each for each in folded if each.isspace() or unicodedata.category(each) not in _UNSEEN
    )
    return re.sub(r"\s+", "", seen)
