"""images.yaml: what each image is made of, and the name that follows from it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lab import reading
from lab.errors import BadInput
from lab.text import Text


class GoProgram(BaseModel):
    """A program compiled from a Go module."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    module: str
    version: str
    package: str


class Image(BaseModel):
    """One image of images.yaml; the fields are explained there."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    upstream: str | None = None
    base: str | None = None
    parent: str | None = Field(default=None, alias="from")
    debian: list[str] = []
    without: list[Annotated[str, Field(pattern=r"^\w[\w./*+-]*$")]] = []
    wheels: list[str] = []
    maven: str | None = None
    go: GoProgram | None = None
    # Left out where nobody names it, so that a field that few images have renames only those.
    program: str | None = Field(default=None, exclude_if=lambda given: given is None)
    sources: list[str] = []


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    images: dict[str, Image]


class Catalogue:
    """The images of a checkout.

    Args:
        root: the checkout.

    Raises:
        BadInput: images.yaml is not YAML, has an unknown key or an unknown parent.

    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "platform" / "images"
        self._digests: dict[str, str] = {}
        path = self.folder / "images.yaml"
        try:
            self.images = _File.model_validate(reading.document(path.read_text())).images
        except yaml.YAMLError as error:
            raise _bad(f"{path.name}: {error}") from error
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"])
            raise _bad(f"{path.name}: {field}: {first['msg']}") from error
        for name, image in self.images.items():
            if image.parent and image.parent not in self.images:
                raise _bad(f"{path.name}: images.{name}.from: {image.parent}")

    def image(self, name: str) -> Image:
        """Return an image by name.

        Raises:
            BadInput: images.yaml does not hold it.

        """
        if name not in self.images:
            raise _bad(f"images.yaml: {name}?")
        return self.images[name]

    def lineage(self, names: list[str]) -> list[str]:
        """Return the names and all that they stand on, parents first."""
        order: list[str] = []
        for name in names:
            parent = self.image(name).parent
            for each in [*(self.lineage([parent]) if parent else []), name]:
                if each not in order:
                    order.append(each)
        return order

    def inherited(self, name: str) -> list[str]:
        """Return the lock files of the packages that an image's parents have."""
        return [lock for each in self.lineage([name]) if each != name for lock in self.image(each).wheels]

    def reference(self, name: str) -> str:
        """Return the image's name in engine and cluster: it changes with whatever enters the image, and only then.

        Raises:
            BadInput: the recipe, or something that it names, is not there.

        """
        return f"tarmac.local/{name}:{self._digest(name)}"

    def _digest(self, name: str) -> str:
        """Return the hash of an image's content, as it was when first asked: one run builds and runs the same."""
        if name not in self._digests:
            self._digests[name] = self._hash(name)
        return self._digests[name]

    def _hash(self, name: str) -> str:
        image = self.image(name)
        content = hashlib.sha256(image.model_dump_json(by_alias=True).encode())
        if image.parent:
            content.update(self._digest(image.parent).encode())
        for base, relative in self._files(name, image):
            content.update(f"{relative}\0".encode() + (base / relative).read_bytes())
        return content.hexdigest()[:12]

    def _files(self, name: str, image: Image) -> list[tuple[Path, Path]]:
        recipe = self.folder / name
        copied = [*image.wheels, *image.sources, *filter(None, [image.program])]
        for needed in (recipe / "Dockerfile", *(self.root / each for each in copied)):
            if not needed.exists():
                raise _bad(f"images.yaml: {name}: {needed.relative_to(self.root)} does not exist")
        found = [(recipe, path.relative_to(recipe)) for path in _tree(recipe)]
        for source in copied:
            found += [(self.root, path.relative_to(self.root)) for path in _tree(self.root / source)]
        return found


def _tree(path: Path) -> list[Path]:
    """Return the files that matter under a path, in a fixed order."""
    if path.is_file():
        return [path]
    return sorted(
        each for each in path.rglob("*") if each.is_file() and "__pycache__" not in each.parts and each.suffix != ".md"
    )


def _bad(what: str) -> BadInput:
    return BadInput(
        Text.plain(what),
        Text(
            en="correct platform/images/images.yaml; its head explains every field",
            fr="corrigez platform/images/images.yaml ; son en-tête explique chaque champ",
        ),
    )
