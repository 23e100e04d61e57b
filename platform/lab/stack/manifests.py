"""A lab's own manifests: the trainee's working copy, built by kustomize, applied whole or not at all."""

from __future__ import annotations

import shutil
import time
from functools import cache
from pathlib import Path

from lab import reading, seeds, tools
from lab.api import ROUTING, Api, Object
from lab.errors import BadInput
from lab.process import CommandFailed, run
from lab.progress import Say
from lab.refusals import Refused
from lab.settings import DEFAULT_NAME, Settings
from lab.spec import LabSpec
from lab.text import Text

LAB_LABEL = "tarmac.dev/lab"
PRUNED = (
    "Deployment", "StatefulSet", "Job", "CronJob", "Service", "ConfigMap", "ServiceAccount", "Role", "RoleBinding",
    "NetworkPolicy", "PodDisruptionBudget", *ROUTING,
)  # fmt: skip
"""Kinds that a lab may declare and that are taken away when its manifests no longer hold them."""
_IMAGE = "tarmac.local/"


class Manifests:
    """The manifests of one lab.

    Args:
        settings: where kubectl is found.
        folder: the lab's folder.
        lab: its declaration.

    """

    def __init__(self, settings: Settings, folder: Path, lab: LabSpec) -> None:
        self._settings = settings
        self._lab = lab
        self.folder = folder / "manifests"
        self.work = workplace(settings, folder)

    def begin(self) -> bool:
        """Give the trainee a working copy of the start where there is none; say whether it was made."""
        if self.work.exists():
            return False
        shutil.copytree(self.folder / "start", self.work)
        return True

    def replace(self, with_: str) -> Path | None:
        """Put `start` or `solved` in the place of the working copy; return where the trainee's own was kept.

        A copy that is nobody's work (equal to the start or to the solution) is not kept.
        """
        kept = None
        if self.work.exists():
            if not any(_same(self.work, self.folder / each) for each in ("start", "solved")):
                kept = self.folder / f"{self.work.name}.saved-{time.strftime('%Y%m%d-%H%M%S')}"
                shutil.copytree(self.work, kept)
            shutil.rmtree(self.work)
        shutil.copytree(self.folder / with_, self.work)
        return kept

    def is_(self, state: str) -> bool:
        """Say whether the working copy is the lab's `start` or its solution, `solved`."""
        return self.work.exists() and _same(self.work, self.folder / state)

    def build(self, images: dict[str, str], say: Say) -> list[Object]:
        """Return the objects of the working copy, labelled, with the cluster's names of images and the trainee's seed.

        Raises:
            BadInput: kustomize cannot build it; names the file and the line.

        """
        kubectl = tools.kubectl(self._settings, say)
        what = Text(en=f"building {self.work}", fr=f"construction de {self.work}")
        try:
            text = run([kubectl, "kustomize", self.work], what=what, timeout=60)
        except CommandFailed as error:
            raise self._broken(error.output.strip()) from error
        seed = cache(lambda: seeds.drawn(self._settings))
        objects: list[Object] = [seeds.filled(each, seed) for each in reading.documents(text)]  # type: ignore[misc]
        return [self._dressed(each, images) for each in objects]

    def apply(self, api: Api, objects: list[Object]) -> list[str]:
        """Apply the objects and take away what they no longer hold; return what changed, as `Kind/name`.

        The server judges all of them first, so that a mistake in one leaves the cluster as it was.

        Raises:
            BadInput: an object is refused; names object, field and remedy.

        """
        try:
            api.judge(objects)
        except Refused as error:
            raise self._broken(error.what.en) from error
        changed = api.apply(objects)
        wanted = {(each["kind"], each["metadata"]["name"]) for each in objects}
        extra = [each for each in self.standing(api) if (each["kind"], each["metadata"]["name"]) not in wanted]
        api.delete(extra)
        return changed + [f"{each['kind']}/{each['metadata']['name']}" for each in extra]

    def standing(self, api: Api) -> list[Object]:
        """Return the lab's objects that are in the cluster now."""
        label = f"{LAB_LABEL}={self._lab.code}"
        return [each for kind in PRUNED for each in api.find(kind, self._lab.namespace, label)]

    def _dressed(self, each: Object, images: dict[str, str]) -> Object:
        metadata = each["metadata"]
        metadata["namespace"] = self._lab.namespace
        labels = {LAB_LABEL: self._lab.code, "app.kubernetes.io/part-of": "tarmac"}
        metadata["labels"] = {**metadata.get("labels", {}), **labels}
        spec = each.get("spec", {})
        template = spec.get("jobTemplate", {}).get("spec", spec).get("template")
        if template:
            inner = template.setdefault("metadata", {})
            inner["labels"] = {**inner.get("labels", {}), **labels}
            for container in [*template["spec"].get("initContainers", []), *template["spec"].get("containers", [])]:
                container["image"] = self._reference(each, container.get("image", ""), images)
        return each

    def _reference(self, each: Object, image: str, images: dict[str, str]) -> str:
        """Return an image's name in the cluster; another's image keeps its own."""
        name = image.removeprefix(_IMAGE)
        if image.startswith(_IMAGE) and name not in images:
            ours = ", ".join(f"{_IMAGE}{known}" for known in sorted(images))
            raise self._broken(f"{each['kind']}/{each['metadata']['name']}: image: {image}? ({ours})")
        return images.get(name, image)

    def _broken(self, reason: str) -> BadInput:
        where = self.work.relative_to(self._settings.root)
        return BadInput(
            Text(en=f"{where}: {reason}", fr=f"{where} : {reason}"),
            Text(
                en=f"correct the file in {where}; nothing was changed in the cluster",
                fr=f"corrigez le fichier dans {where} ; rien n'a changé dans le cluster",
            ),
        )


def workplace(settings: Settings, folder: Path) -> Path:
    """Return the folder of a lab's working copy: beside the base that it names, one for each cluster."""
    own = "work" if settings.name == DEFAULT_NAME else f"work-{settings.name}"
    return folder / "manifests" / own


def _same(left: Path, right: Path) -> bool:
    def content(folder: Path) -> dict[str, bytes]:
        return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    return content(left) == content(right)
