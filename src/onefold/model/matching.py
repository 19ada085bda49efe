"""A learned model of which records are one person: frozen, the same on every engine, one JSON file.

It holds all that a pair's score depends on beside the two records: how often each level of
agreement is seen between records of one person (`m`), of two strangers (`u`) and of two people of
one household (`h`), how common values are, how likely a pair is before one looks at it, and from which
weight on two records are merged or shown to a person.
"""

from __future__ import annotations

from hashlib import blake2b

import msgspec

from onefold.model.errors import Fault, InvalidInput

FORMAT = 3


class Level(msgspec.Struct, frozen=True):
    """One outcome of a comparison, with its probability in each of the three classes."""

    name: str
    m: float
    u: float
    h: float


class LearnedComparison(msgspec.Struct, frozen=True):
    """The levels of one comparison; a level's number is its place, from 1. 0 means: not known."""

    name: str
    levels: tuple[Level, ...]


class Frequencies(msgspec.Struct, frozen=True):
    """How common the values of one column are, in bins by powers of four.

    Values that are not listed are in the last bin, that of the rarest.
    """

    column: str
    bins: int
    values: dict[str, int]


class SourcePrior(msgspec.Struct, frozen=True):
    """How likely a record of one source and one of another are one person, or one household."""

    left: str
    right: str
    match: float
    household: float


class Quality(msgspec.Struct, frozen=True):
    """What the model expects of itself on the data that it was trained on, each from 0 to 1.

    `uncertainty` is the standard error of precision and recall as far as the probabilities hold. The
    other errors hold without that: they say what is known of how probable a weight is, from `decisions` of
    people, else from experience. `calibration_error` is that of weights, in bits.
    """

    records: int
    pairs: int
    blocking_recall: float
    precision: float
    recall: float
    uncertainty: float
    blocking_error: float = 0.0
    precision_error: float = 0.0
    recall_error: float = 0.0
    calibration_error: float = 1.0
    decisions: int = 0


class MatchModel(msgspec.Struct, frozen=True):
    """All that a score depends on, beside the two records."""

    comparisons: tuple[LearnedComparison, ...]
    frequencies: tuple[Frequencies, ...]
    match: float
    household: float
    sources: tuple[SourcePrior, ...]
    keys: tuple[str, ...]
    """The names of the blocking keys, each with its parts."""
    cap: int
    """More records than that with the same key are not compared with each other."""
    merge: float
    """The weight (log2 of the odds) from which on two records are one person."""
    review: float
    """The weight from which on a person should look."""
    quality: Quality
    scale: float = 1.0
    shift: float = 0.0
    """What reviewers' decisions say of weights: the calibrated one is `scale * weight + shift`."""
    weights: tuple[tuple[float, float], ...] = ()
    """How many compared pairs have which weight, before decisions: what quality is told from."""
    version: str = ""
    format: int = FORMAT


class Matching(msgspec.Struct, frozen=True):
    """A model in force: how claims are read, and by what they are compared.

    `columns` says of traits what they hold, where their names do not; `region` is the country of
    telephone numbers that name none.
    """

    model: MatchModel
    columns: dict[str, str] = {}
    region: str | None = None


def encode_model(model: MatchModel) -> bytes:
    """The model as the text of a JSON file; `version` is made of all else."""
    plain = msgspec.structs.replace(model, version="")
    version = blake2b(msgspec.json.encode(plain), digest_size=8).hexdigest()
    whole = msgspec.structs.replace(plain, version=version)
    return msgspec.json.format(msgspec.json.encode(whole), indent=1)


def decode_model(text: bytes) -> MatchModel:
    """Read a model's file."""
    try:
        model = msgspec.json.decode(text, type=MatchModel)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise InvalidInput("this is no match model", [Fault(str(error))]) from error
    if model.format != FORMAT:
        hint = "train it anew"
        raise InvalidInput(
            "this match model was written by another release of Onefold",
            [Fault(f"its format is {model.format}, this release reads {FORMAT}", "format", hint)],
        )
    return model
