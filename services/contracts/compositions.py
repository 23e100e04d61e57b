"""Compositions: models that are made of other models, described in data.

A composition is a version of a registered model like any other: `composition.json` stands where `model.onnx` would, and
`card.json` beside it says what it takes and what it predicts. Its members are named as callers name models, `delay-
linear` or `delay-linear@3`; which version that is, is found out anew for each request.

    {"kind": "ensemble", "members": [{"model": "delay-boosting", "weight": 2}, {"model": "delay-network"}]}
    {"kind": "cascade", "first": "delay-linear", "then": "delay-boosting", "unsure": {"kind": "beyond", "high": 25}}
    {"kind": "by_parameter", "parameter": "depth", "ways": {"fast": "delay-linear"}, "otherwise": "delay-boosting"}
    {"kind": "by_feature", "feature": "weather_visib", "ways": [{"below": 2, "model": "delay-network"}],
     "otherwise": "delay-boosting"}

What is computed of what is a generator that neither waits nor computes models itself: it says which members are asked
for which rows, is sent their predictions, and returns its own. So the server, which waits for many, and the training,
which judges, do the same.
"""

import hashlib
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeAlias

import msgspec
import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from contracts import models
from contracts.inference import Parameters
from contracts.models import BadCard, Card

COMPOSITION = "composition.json"
LARGEST = 65_536
"""Bytes of it."""

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Named = Annotated[str, Meta(pattern="^[A-Za-z0-9][A-Za-z0-9._-]*(@[A-Za-z0-9_-]+)?$", description="model[@version]")]


class BadComposition(ValueError):
    """A composition that cannot be read, or that names what its model does not have."""


class BadParameter(ValueError):
    """A parameter of a request that names none of the ways."""


class Ask(NamedTuple):
    """A member that is to be asked.

    Attributes:
        model: as the composition names it.
        rows: bool [N], which rows; None: all.
    """

    model: str
    rows: Mask | None = None


class Given(NamedTuple):
    """What a composition is asked.

    Attributes:
        features: float32 [N, K].
        names: of the K columns.
        parameters: of the request.
    """

    features: Floats
    names: tuple[str, ...]
    parameters: Parameters


Steps: TypeAlias = Generator[Sequence[Ask], Sequence[Floats], Floats]
"""Gives the members to be asked next, is sent a column float32 [rows, 1] of each, returns a column [N, 1]."""


class _Composition(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind"):
    def members(self) -> tuple[str, ...]:
        """Every member, as it is named."""
        raise NotImplementedError

    def needs(self) -> tuple[str, ...]:
        """Features by which it decides."""
        return ()

    def steps(self, given: Given) -> Steps:
        """What is to be computed."""
        raise NotImplementedError


class Weighted(Struct, frozen=True, forbid_unknown_fields=True):
    """A member of an ensemble."""

    model: Named
    weight: Annotated[float, Meta(gt=0)] = 1.0


class Ensemble(_Composition, frozen=True, tag="ensemble", kw_only=True):
    """The weighted mean of what its members say."""

    voices: Annotated[tuple[Weighted, ...], Meta(min_length=2)] = msgspec.field(name="members")

    def members(self) -> tuple[str, ...]:
        """Every member."""
        return tuple(each.model for each in self.voices)

    def steps(self, _given: Given) -> Steps:
        """Ask all, once."""
        found = yield [Ask(each.model) for each in self.voices]
        weights = [each.weight for each in self.voices]
        return np.average(np.asarray(found, np.float64), axis=0, weights=weights).astype(np.float32)


class Beyond(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="beyond"):
    """Unsure where the prediction lies below `low` or above `high`, in the label's unit."""

    low: float | None = None
    high: float | None = None

    def rows(self, first: Floats, _second: Floats | None) -> Mask:
        """Which rows, bool [N]; a prediction that is no number is as unsure as can be."""
        low, high = -np.inf if self.low is None else self.low, np.inf if self.high is None else self.high
        return ~((first >= low) & (first <= high))[:, 0]


class Apart(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="apart"):
    """Unsure where a second small model's prediction lies further than `by` from the first's."""

    model: Named
    by: Annotated[float, Meta(gt=0)]

    def rows(self, first: Floats, second: Floats | None) -> Mask:
        """Which rows, bool [N]."""
        return ~(np.abs(first - second) <= self.by)[:, 0] if second is not None else np.ones(len(first), np.bool_)


class Cascade(_Composition, frozen=True, tag="cascade", kw_only=True):
    """A small model; a big one for the rows on which the small one is unsure."""

    first: Named
    then: Named
    unsure: Beyond | Apart

    def members(self) -> tuple[str, ...]:
        """The small one, its second opinion where there is one, the big one."""
        second = (self.unsure.model,) if isinstance(self.unsure, Apart) else ()
        return self.first, *second, self.then

    def steps(self, _given: Given) -> Steps:
        """Ask the small one, then the big one where it has to be."""
        first, *second = yield [Ask(each) for each in self.members()[:-1]]
        unsure = self.unsure.rows(first, second[0] if second else None)
        if unsure.all():
            (then,) = yield [Ask(self.then)]
            return then
        if not unsure.any():
            return first
        (then,) = yield [Ask(self.then, unsure)]
        return _placed(len(first), [(~unsure, first[~unsure]), (unsure, then)])


class ByParameter(_Composition, frozen=True, tag="by_parameter", kw_only=True):
    """One member, chosen by a parameter of the request."""

    parameter: Annotated[str, Meta(min_length=1)]
    ways: Annotated[dict[str, Named], Meta(min_length=1)]
    otherwise: Named
    """Where the request has no such parameter."""

    def members(self) -> tuple[str, ...]:
        """Every member."""
        return (*self.ways.values(), self.otherwise)

    def steps(self, given: Given) -> Steps:
        """Ask the one.

        Raises:
            BadParameter: the parameter names no way.
        """
        wish = given.parameters.get(self.parameter)
        if wish is not None and not (isinstance(wish, str) and wish in self.ways):
            raise BadParameter(f"parameter {self.parameter} is {wish!r:.60}; it takes {', '.join(self.ways)}")
        (found,) = yield [Ask(self.otherwise if wish is None else self.ways[wish])]
        return found


class Way(Struct, frozen=True, forbid_unknown_fields=True):
    """A member for rows whose feature lies below a bound."""

    below: float
    model: Named


class ByFeature(_Composition, frozen=True, tag="by_feature", kw_only=True):
    """For each row one member, chosen by a feature: the first of the ways whose bound it lies below."""

    feature: Annotated[str, Meta(min_length=1)]
    ways: Annotated[tuple[Way, ...], Meta(min_length=1)]
    otherwise: Named
    """Where it lies below none, or is missing."""

    def members(self) -> tuple[str, ...]:
        """Every member."""
        return (*(each.model for each in self.ways), self.otherwise)

    def needs(self) -> tuple[str, ...]:
        """The feature."""
        return (self.feature,)

    def steps(self, given: Given) -> Steps:
        """Ask each member that has rows, all at once."""
        column = given.features[:, given.names.index(self.feature)]
        left, asks = np.ones(len(column), np.bool_), []
        for way in self.ways:
            asks.append(Ask(way.model, left & (column < way.below)))
            left &= ~(column < way.below)
        asks = [each for each in (*asks, Ask(self.otherwise, left)) if each.rows is not None and each.rows.any()]
        found = yield asks
        return _placed(len(column), [(ask.rows, rows) for ask, rows in zip(asks, found, strict=True)])


Composition: TypeAlias = Ensemble | Cascade | ByParameter | ByFeature


def _placed(count: int, parts: Sequence[tuple[Any, Floats]]) -> Floats:
    """A column of `count` rows, put together from those of several masks."""
    whole = np.empty((count, 1), np.float32)
    for mask, rows in parts:
        whole[mask] = rows
    return whole


def decode(content: bytes, place: str = COMPOSITION) -> Composition:
    """The composition that these bytes are.

    Raises:
        BadComposition: with the field that is at fault.
    """
    if len(content) > LARGEST:
        raise BadComposition(f"composition {place}: it has {len(content)} bytes, {LARGEST} are the limit")
    try:
        found: Composition = msgspec.json.decode(content, type=Composition)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as failure:
        raise BadComposition(f"composition {place}: {failure!s:.300}") from None
    return found


def check(composition: Composition, card: Card) -> None:
    """Hold a composition to its card.

    Raises:
        BadComposition: it decides by a feature that its card does not have, or asks itself.
    """
    lacking = [name for name in composition.needs() if name not in card.features]
    if lacking:
        raise BadComposition(f"composition {card.name}: feature {', '.join(lacking)} is none of its card's")
    if any(each.partition("@")[0] == card.name for each in composition.members()):
        raise BadComposition(f"composition {card.name}: it is a member of itself")


def read(folder: Path) -> tuple[Composition, Card, bytes]:
    """The composition in a folder, its card, and its bytes.

    Raises:
        BadComposition: it cannot be read, or its card is missing or another's.
    """
    file = folder / COMPOSITION
    try:
        with file.open("rb") as stream:
            content = stream.read(LARGEST + 1)
        card = models.read(folder)
    except OSError as failure:
        raise BadComposition(f"composition {file} cannot be read: {failure}") from None
    except BadCard as failure:
        raise BadComposition(failure.what) from None
    found = hashlib.sha256(content).hexdigest()
    if found != card.sha256:
        raise BadComposition(
            f"composition {card.name}: {COMPOSITION} has sha256 {found[:12]}, its card says {card.sha256[:12]}"
        )
    composition = decode(content, str(file))
    check(composition, card)
    return composition, card, content
