"""What a model's features take: which entities name them, from which view each is, and what a computed one stands on.

Read once from the model's card and the definitions by which the training set was made.
"""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from contracts.models import Card
from contracts.views import Definitions, OnDemand, Undefined, View
from serving.errors import FeaturesUnknown

_NO_NUMBERS = ("string", "bytes")


@dataclass(frozen=True)
class Columns:
    """The columns of a model's input.

    Attributes:
        service: feature service that has them.
        features: their names, in order.
        entities: join keys that have to be given.
        inputs: what a request has to bring besides.
        views: feature -> the stored view that it is from; a computed one is from none.
        needs: computed feature -> stored views that it is computed from.
    """

    service: str
    features: tuple[str, ...]
    entities: tuple[str, ...]
    inputs: tuple[str, ...]
    views: Mapping[str, str]
    needs: Mapping[str, frozenset[str]]

    def sources(self, feature: str) -> frozenset[str]:
        """The stored views that a feature is from, or is computed from."""
        return self.needs[feature] if feature in self.needs else frozenset((self.views[feature],))

    @classmethod
    def of(cls, card: Card, definitions: Definitions) -> Self:
        """The columns of the model that a card is about.

        Raises:
            FeaturesUnknown: the definitions have no such service, or the service no such feature.
        """
        try:
            references = definitions.features_of(definitions.service(card.service))
        except Undefined as failure:
            told = f"model {card.name}: its card names feature service {card.service:.60}: {failure}"
            raise FeaturesUnknown(told, "register it again with a card of these definitions") from None
        found = {name: view for view, _, name in (each.partition(":") for each in references)}
        fields = [definitions.feature(each)[1] for each in references]
        numbers = {each.name for each in fields if each.kind not in _NO_NUMBERS}
        unknown = [name for name in card.features if name not in numbers]
        if unknown:
            told = f"model {card.name}: feature service {card.service} has no number {', '.join(unknown):.200}"
            raise FeaturesUnknown(told, "register it again with a card of these definitions")
        return cls._compiled(card, definitions, found)

    @classmethod
    def _compiled(cls, card: Card, definitions: Definitions, found: Mapping[str, str]) -> Self:
        """All that the service answers is asked for, so its every feature counts for what has to be given."""
        stored: dict[str, View] = {}
        inputs: dict[str, None] = {}
        needs: dict[str, frozenset[str]] = {}
        for name, view_name in found.items():
            view = definitions.view(view_name)
            if isinstance(view, View):
                stored[view.name] = view
                continue
            inputs |= dict.fromkeys(each.name for each in view.request)
            needs[name] = _needed(view, name)
            stored |= {each: definitions.stored(each) for each in _inputs(view).values()}
        return cls(
            service=card.service,
            features=card.features,
            entities=tuple(dict.fromkeys(key for view in stored.values() for key in view.entities)),
            inputs=tuple(inputs),
            views={name: view for name, view in found.items() if name not in needs},
            needs=needs,
        )


def _inputs(view: OnDemand) -> dict[str, str]:
    """Stored feature -> its view, of all that a computed view takes."""
    return {name: source for source, _, name in (each.partition(":") for each in view.inputs)}


def _needed(view: OnDemand, name: str) -> frozenset[str]:
    """The stored views that one computed feature takes values of."""
    function = next(function for field, function in view.features if field.name == name)
    sources = _inputs(view)
    return frozenset(sources[each] for each in inspect.signature(function).parameters if each in sources)
