"""Takes compositions as well as models: what stands in a composition's folder is held to what its members are.

Here it is refused, before anybody asks it, with the reason in the repository's index: members that are unknown, that
lead around in a circle, or that take or predict something else. Members change later, and then `composed`, beside this
module, looks again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from contracts import compositions, models
from contracts.compositions import COMPOSITION, BadComposition, Composition
from contracts.models import BadCard, Card
from serving.errors import CardWrong, CompositionWrong, VersionUnknown
from serving.model.outline import Outline
from serving.naming import aim
from serving.repository.repository import Made, Opens
from serving.repository.shelf import Shelf
from serving.source.artifact import Artifact
from serving.source.folder import Source


@dataclass(frozen=True)
class Composing:
    """Makes a version ready, be it a model or a composition of models.

    Attributes:
        source: where both come from.
        opener: makes models ready.
        alias: that answers where a member is named without a version.
    """

    source: Source
    opener: Opens
    alias: str

    def open(self, name: str, version: str) -> Made:
        """The version, ready to be asked.

        Raises:
            SourceUnavailable: its files cannot be had.
            Artifact: it cannot be served.
        """
        folder = self.source.folder(name, version)
        if not (folder / COMPOSITION).is_file():
            return self.opener.open(name, version)
        title = f"composition {name} version {version}"
        composition, card, content = _read(title, name, folder)
        self._hold(title, composition, card, (name,))
        artifact = Artifact(name, version, folder, content, card.sha256, len(content), card)
        return artifact, Outline(card, composition)

    def _hold(self, title: str, composition: Composition, card: Card, trail: tuple[str, ...]) -> None:
        """Hold a composition's card to those of its members, and theirs to theirs."""
        known = self.source.names()
        for member in dict.fromkeys(composition.members()):
            name, selector = aim(member, "")
            if name in trail:
                round_about = " > ".join((*trail, name))
                raise CompositionWrong(f"{title}: its members lead around in a circle: {round_about}", "take one out")
            if name not in known:
                told = f"{title}: its member {member} is unknown"
                raise CompositionWrong(told, f"register it, or name one of {', '.join(known):.300}")
            folder = self._folder(title, name, selector)
            inner = folder / COMPOSITION
            if inner.is_file():
                parts, of_member, _ = _read(f"{title}, member {member}", name, folder)
                fit(title, card, member, of_member)
                self._hold(title, parts, card, (*trail, name))
            else:
                fit(title, card, member, _card(title, member, folder))

    def _folder(self, title: str, name: str, selector: str) -> Path:
        shelf = Shelf(name, self.alias, self.source.listing(name))
        try:
            return self.source.folder(name, shelf.target(selector))
        except VersionUnknown as failure:
            raise CompositionWrong(f"{title}: its member: {failure.what}", failure.remedy) from None


def fit(title: str, card: Card, member: str, of_member: Card | None) -> None:
    """Hold a composition's card to that of a member.

    Raises:
        CompositionWrong: it takes other features, or predicts something else.
    """
    if of_member is None:
        told = f"{title}: its member {member} has no card, which would say what it takes"
        raise CompositionWrong(told, "register it with the training, or leave it out")
    if of_member.features != card.features:
        odd = sorted(set(of_member.features) ^ set(card.features)) or ["their order"]
        told = f"{title}: its member {member} takes other features: {_some(odd)} differs"
        raise CompositionWrong(told, "compose models that were fitted to the same features")
    if of_member.label != card.label:
        told = f"{title}: its member {member} predicts {of_member.label:.60}, the composition {card.label:.60}"
        raise CompositionWrong(told, "compose models of the same label")


def _some(names: Sequence[str], few: int = 3) -> str:
    return ", ".join(names[:few]) + (f" and {len(names) - few} more" if len(names) > few else "")


def _read(title: str, name: str, folder: Path) -> tuple[Composition, Card, bytes]:
    try:
        composition, card, content = compositions.read(folder)
    except BadComposition as failure:
        raise CompositionWrong(f"{title}: {failure}", "correct it and register it anew") from None
    if card.name != name:
        raise CardWrong(f"{title}: its card is that of {card.name}", "register it anew under its own name")
    return composition, card, content


def _card(title: str, member: str, folder: Path) -> Card | None:
    if not (folder / models.CARD).exists():
        return None
    try:
        return models.read(folder)
    except BadCard as failure:
        raise CompositionWrong(f"{title}: its member {member}: {failure.what}", failure.remedy) from None
