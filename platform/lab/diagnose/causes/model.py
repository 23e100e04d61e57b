"""What a cause is, and what it finds in a recorded state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lab.text import Text

if TYPE_CHECKING:
    from lab.diagnose.causes.scene import Scene


@dataclass(frozen=True, slots=True)
class Found:
    """A place where a cause shows itself.

    Attributes:
        what: the object, as `Kind/name`.
        namespace: where it is; empty for what stands in none.
        evidence: what the recorded state says of it, in the words of whoever said it.
        kind: the kind that commands name, where it is another than that of `what`.
        name: the name that commands take.
        mend: the command that mends it here, where that is another than the cause's.

    """

    what: str
    namespace: str = ""
    evidence: str = ""
    kind: str = ""
    name: str = ""
    mend: str = ""

    def words(self, lab: str) -> dict[str, str]:
        """Return what the commands of a cause leave open."""
        kind, _, name = self.what.partition("/")
        return {
            "lab": lab, "namespace": self.namespace, "kind": (self.kind or kind).lower(), "name": self.name or name,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cause:
    """One way in which a lab can be broken.

    Attributes:
        code: stable, as documents and scripts name it.
        title: in a few words.
        means: what it is, and what it brings about downstream.
        look: the command by which one sees it by hand; may name {lab}, {namespace}, {kind} and {name}.
        mend: the command that mends it, likewise.
        find: the places where a state shows it in a component (none: in all); a pure function.
        mild: whether all goes on in spite of it: then it explains nothing that is broken downstream.

    """

    code: str
    title: Text
    means: Text
    look: str
    mend: str
    find: Callable[[Scene, str], Iterator[Found]] = field(compare=False)
    mild: bool = False


@dataclass(frozen=True, slots=True)
class Blame:
    """The root cause of a state.

    Attributes:
        cause: which.
        found: where, and what shows it.
        lab: the lab's two digits.

    """

    cause: Cause
    found: Found
    lab: str

    @property
    def mend(self) -> str:
        """Return the command that mends it here."""
        return self.found.mend or self.cause.mend.format(**self.found.words(self.lab))

    @property
    def look(self) -> str:
        """Return the command that shows it here."""
        return self.cause.look.format(**self.found.words(self.lab))

    @property
    def where(self) -> str:
        """Return the object with its namespace."""
        return f"{self.found.namespace}/{self.found.what}" if self.found.namespace else self.found.what

    def told(self) -> Text:
        """Return code, title, object and evidence as one line."""
        evidence = f": {self.found.evidence}" if self.found.evidence else ""
        return Text(
            en=f"{self.cause.code}: {self.cause.title.en}, {self.where}{evidence}",
            fr=f"{self.cause.code} : {self.cause.title.fr}, {self.where}{evidence}",
        )

    def as_json(self) -> dict[str, object]:
        """Return it for machines."""
        texts = {"title": self.cause.title, "means": self.cause.means}
        return {
            "code": self.cause.code, "object": self.where, "evidence": self.found.evidence,
            "look": self.look, "mend": self.mend,
            **{name: {"en": text.en, "fr": text.fr} for name, text in texts.items()},
        }  # fmt: skip
