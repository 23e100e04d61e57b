"""Data products: the definitions of features, told by who owns what and who reads it, and what a change would break.

Nothing is said twice: a product is the views that carry its name in their tags, its consumers are the feature services
that read one of them, its events are the topics that they are made from.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import NamedTuple

from contracts.views import Definitions, Field, OnDemand, Service, View
from contracts.views_flights import DEFINITIONS

PRODUCT, TOPIC, VERSION, FRESHNESS = "product", "topic", "version", "freshness_seconds"
"""Tags of a view."""
MARGIN = 3
"""A promise of freshness may take this part of the time to live: it can be missed twice before a reader has nothing."""


@dataclass(frozen=True)
class Product:
    """What one team offers to others.

    Attributes:
        name: its name.
        owner: the team.
        version: of its contract.
        topics: the events that it is made from; each topic's event type is their contract.
        views: what it offers.
        consumers: the feature services that read it.
        freshness_seconds: the promise: what it offers is not older than this.
    """

    name: str
    owner: str
    version: int
    topics: tuple[str, ...]
    views: tuple[View, ...]
    consumers: tuple[str, ...]
    freshness_seconds: int

    @property
    def needed_seconds(self) -> int:
        """The weakest promise that is of use to its readers: a part of the shortest time to live."""
        return min(view.ttl for view in self.views) // MARGIN


@dataclass(frozen=True)
class Change:
    """What the owner wants to do to a view.

    Attributes:
        view: its name.
        drop: features that are to go.
        add: features that are to come; one that is there already takes the type given here.
    """

    view: str
    drop: tuple[str, ...] = ()
    add: tuple[Field, ...] = ()


class Break(NamedTuple):
    """A feature that a consumer reads and would no longer get as it was."""

    consumer: str
    feature: str
    """`view:feature`."""
    kind: str
    becomes: str | None
    """Its new type; None: it goes."""


def products(definitions: Definitions = DEFINITIONS) -> dict[str, Product]:
    """Name -> product, in the order of the definitions."""
    views: dict[str, list[View]] = {}
    for view in definitions.views:
        views.setdefault(view.tags[PRODUCT], []).append(view)
    return {name: _product(name, tuple(some), definitions) for name, some in views.items()}


def _product(name: str, views: tuple[View, ...], definitions: Definitions) -> Product:
    references = {f"{view.name}:{each.name}" for view in views for each in view.features}
    made = Product(
        name=name,
        owner=views[0].owner,
        version=max(int(view.tags.get(VERSION, "1")) for view in views),
        topics=tuple(dict.fromkeys(view.tags[TOPIC] for view in views if TOPIC in view.tags)),
        views=views,
        consumers=tuple(each.name for each in definitions.services if references & set(reads(each, definitions))),
        freshness_seconds=0,
    )
    promised = [int(view.tags[FRESHNESS]) for view in views if FRESHNESS in view.tags]
    # Where nobody has promised anything, readers take what they need for granted.
    return replace(made, freshness_seconds=min(promised, default=made.needed_seconds))


def reads(service: Service, definitions: Definitions) -> dict[str, str]:
    """Stored `view:feature` -> type, of all that a service reads: directly, or for what is computed on demand."""
    wanted: dict[str, None] = {}
    for reference in definitions.features_of(service):
        view, _ = definitions.feature(reference)
        wanted |= dict.fromkeys(view.inputs if isinstance(view, OnDemand) else (reference,))
    return {reference: definitions.feature(reference)[1].kind for reference in wanted}


def readers(reference: str, definitions: Definitions = DEFINITIONS) -> tuple[str, ...]:
    """Names of the services that read a stored `view:feature`."""
    return tuple(each.name for each in definitions.services if reference in reads(each, definitions))


def changed(view: View, change: Change) -> View:
    """The view with the change made; what is new stands at the end."""
    new = {each.name: each for each in change.add}
    kept = [new.pop(each.name, each) for each in view.features if each.name not in change.drop]
    return replace(view, features=(*kept, *new.values()))


def broken(product: Product, change: Change, definitions: Definitions = DEFINITIONS) -> list[Break]:
    """What the change takes away from those who read the product; nothing is lost by an addition.

    The rule is that of `feature apply`: every feature that a published service reads stays, with its type.
    """
    (view,) = (each for each in product.views if each.name == change.view)
    after = dict(changed(view, change).columns)
    return [
        Break(service.name, reference, kind, after.get(feature))
        for service in definitions.services
        for reference, kind in reads(service, definitions).items()
        for name, _, feature in [reference.partition(":")]
        if name == change.view and after.get(feature) != kind
    ]


def published(change: Change, freshness_seconds: int, definitions: Definitions = DEFINITIONS) -> Definitions:
    """A copy of the definitions with the product's next version; services lose what goes, and gain nothing.

    Args:
        change: what is done to the view.
        freshness_seconds: the new promise.
        definitions: the definitions as they are.

    Raises:
        Undefined: what would go is an input of something that is computed on demand.
    """
    old = definitions.stored(change.view)
    version = int(old.tags.get(VERSION, "1")) + 1
    tags = {**old.tags, VERSION: str(version), FRESHNESS: str(freshness_seconds)}
    new = replace(changed(old, change), tags=tags)
    gone = {f"{old.name}:{name}" for name in dict(old.columns).keys() - dict(new.columns).keys()}
    return replace(
        definitions,
        views=tuple(new if each.name == old.name else each for each in definitions.views),
        services=tuple(_without(gone, each) for each in definitions.services),
    )


def _without(gone: Collection[str], service: Service) -> Service:
    return replace(service, features=tuple(each for each in service.features if each not in gone))
