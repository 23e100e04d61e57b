"""A cluster that somebody else runs, used only when `LAB_CLUSTER=context:<name>` names it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab import files
from lab.cluster.base import Claim, Status
from lab.cluster.forward import Forwarder
from lab.cluster.packing import out_of_reach
from lab.cluster.permissions import Permission, needed, question
from lab.errors import BadInput, LabError, MissingRequirement, NotConverged
from lab.process import CommandFailed, run
from lab.progress import Say
from lab.settings import Settings
from lab.text import Text
from lab.tools import kubectl

if TYPE_CHECKING:
    from lab.spec import Component

NAMESPACES = ("platform", "data", "chain", *(f"lab-{number:02d}" for number in range(1, 10)))
_OURS = "app.kubernetes.io/part-of=tarmac"
_PATIENCE = "10s"


class Context:
    """A context of the user's kubeconfig: read, never written; the cluster gets our namespaces and nothing else.

    Args:
        settings: which context.
        components: what is to be brought up there; permissions are asked for accordingly.

    """

    backend = "context"

    def __init__(self, settings: Settings, components: Sequence[Component] = ()) -> None:
        self._components = components
        self._settings = settings
        self.name = settings.cluster.removeprefix("context:")
        self.kubeconfig = settings.kubeconfig
        self._claim = Claim(settings)
        self._forwarder = Forwarder(settings)

    def status(self) -> Status:
        """Say how the cluster stands; absent until it was brought up once."""
        if not self.kubeconfig.exists():
            return Status.ABSENT
        if not self._claim.ours():
            return Status.FOREIGN
        try:
            self._version()
        except CommandFailed:
            return Status.STOPPED
        return Status.RUNNING if self._forwarder.alive() else Status.BROKEN

    def up(self, say: Say) -> None:
        """Take the context's entry over, see that we may do what we must, and open the services' ports here.

        Raises:
            BadInput: there is no such context, or a namespace that we need is somebody else's.
            MissingRequirement: we lack permissions; names each.
            NotConverged: the cluster does not answer.

        """
        if self._claim.taken() and not self._claim.ours():
            raise self._claim.foreign(str(self._settings.folder))
        files.write(self.kubeconfig, self._entry(say), private=True)
        try:
            self._reach()
            self._may()
            self._free()
        except LabError:
            if not self._claim.taken():
                shutil.rmtree(self._settings.folder)
            raise
        self._claim.take(self._settings.cluster)
        if not self._forwarder.alive():
            self._forwarder.start([*self._command(), "--kubeconfig", self.kubeconfig])

    def settle(self, say: Say) -> None:
        """Do nothing: the cluster's owner keeps its parts; nothing here may restart them."""

    def down(self, say: Say) -> None:
        """Take our namespaces and cluster-wide objects away; the cluster itself stays.

        Raises:
            NotConverged: the cluster does not answer, so nothing of ours can be removed.

        """
        if self._claim.taken() and not self._claim.ours():
            raise self._claim.foreign(str(self._settings.folder))
        if self._claim.taken() and self.kubeconfig.exists():
            self._reach()
            say(Text(en=f"removing our namespaces from {self.name}", fr=f"suppression de nos espaces de {self.name}"))
            wide = ["delete", "clusterroles,clusterrolebindings", "--selector", _OURS, "--ignore-not-found"]
            self._ask(*wide, what=self._removing, timeout=120)
            ours = [name for name, mine in self._namespaces().items() if mine]
            if ours:
                self._ask("delete", "namespace", *ours, "--ignore-not-found", what=self._removing, timeout=300)
        self._forwarder.end()
        shutil.rmtree(self._settings.folder, ignore_errors=True)

    def images(self) -> dict[str, int]:
        """Return the images that every node which takes pods reports, name -> bytes; a node reports its fifty largest.

        A kubelet tells of an image up to a minute after it came.
        """
        nodes = self._json("get", "nodes")["items"]
        held = [_sizes(node) for node in nodes if not _closed(node)]
        return {name: size for name, size in held[0].items() if all(name in each for each in held)} if held else {}

    def load_images(self, references: Sequence[str]) -> None:
        """Refuse: only the cluster's owner can bring images to its nodes.

        Raises:
            MissingRequirement: says how.

        """
        names = ", ".join(references)
        archives = self._settings.cache / "images"
        raise MissingRequirement(
            Text(
                en=f"context {self.name}: its nodes do not hold {names}",
                fr=f"contexte {self.name} : ses nœuds n'ont pas {names}",
            ),
            Text(
                en=f"bring the archives of {archives} to each node (`ctr -n k8s.io images import`, `kind load"
                " image-archive`, `minikube image load`), then run again",
                fr=f"apportez les archives de {archives} à chaque nœud (`ctr -n k8s.io images import`, `kind load"
                " image-archive`, `minikube image load`), puis relancez",
            ),
        )

    def remove_images(self, references: set[str]) -> None:
        """Leave them: the nodes are not ours."""

    def ask(self, *words: str) -> str:
        """Refuse: its nodes are its owner's.

        Raises:
            BadInput: always.

        """
        del words
        raise out_of_reach()

    def pack(self, root: str, folders: Sequence[str], containers: Sequence[str], archive: Path) -> None:
        """Refuse, likewise.

        Raises:
            BadInput: always.

        """
        del root, folders, containers, archive
        raise out_of_reach()

    def unpack(self, root: str, folders: Collection[str], archive: Path) -> None:
        """Refuse, likewise.

        Raises:
            BadInput: always.

        """
        del root, folders, archive
        raise out_of_reach()

    def place(self, root: str, folders: Mapping[str, str]) -> None:
        """Refuse, likewise.

        Raises:
            BadInput: always.

        """
        del root, folders
        raise out_of_reach()

    def _entry(self, say: Say) -> str:
        """Return the context's entry alone, from the user's own kubeconfig."""
        kubectl(self._settings, say)
        there = self._theirs("config", "get-contexts", "--output=name").split()
        if self.name not in there:
            listed = ", ".join(there)
            raise BadInput(
                Text(
                    en=f"LAB_CLUSTER=context:{self.name}: there is no context {self.name}",
                    fr=f"LAB_CLUSTER=context:{self.name} : il n'y a pas de contexte {self.name}",
                ),
                Text(
                    en=f"contexts that exist in {_their_file(self.kubeconfig)}: {listed or 'none'}",
                    fr=f"contextes qui existent dans {_their_file(self.kubeconfig)} : {listed or 'aucun'}",
                ),
            )
        return self._theirs("config", "view", "--context", self.name, "--minify", "--flatten", "--raw")

    def _reach(self) -> None:
        try:
            self._version()
        except CommandFailed as error:
            reason = (error.output.strip().splitlines() or ["?"])[-1]
            raise NotConverged(
                Text(
                    en=f"LAB_CLUSTER=context:{self.name}: the cluster does not answer: {reason}",
                    fr=f"LAB_CLUSTER=context:{self.name} : le cluster ne répond pas : {reason}",
                ),
                Text(
                    en=f"start it or log in to it, so that `kubectl --context {self.name} get nodes` works, or name"
                    " another context",
                    fr=f"démarrez-le ou connectez-vous, pour que `kubectl --context {self.name} get nodes` marche, ou"
                    " nommez un autre contexte",
                ),
            ) from error

    def _may(self) -> None:
        """See that the context may do all that the tool will do, before it does anything."""
        # One question is enough for an administrator of the cluster.
        everything = Permission("*", "*", ("*",))
        missing = self._refused([everything]) and self._refused(needed(self._components))
        if missing:
            listed = "; ".join(missing)
            raise MissingRequirement(
                Text(
                    en=f"LAB_CLUSTER=context:{self.name} may not: {listed}",
                    fr=f"LAB_CLUSTER=context:{self.name} n'a pas le droit de : {listed}",
                ),
                Text(
                    en="ask the cluster's owner for these verbs, or name a context that is cluster-admin",
                    fr="demandez ces droits au responsable du cluster, ou nommez un contexte cluster-admin",
                ),
            )

    def _refused(self, permissions: Iterable[Permission]) -> list[str]:
        """Return what the API server says that we may not do."""
        asked = [(each, verb) for each in permissions for verb in each.verbs]
        reviews = {
            "apiVersion": "v1",
            "kind": "List",
            "items": [question(each, verb) for each, verb in asked],
        }
        what = Text(en=f"asking {self.name} for permissions", fr=f"demande des droits à {self.name}")
        words = ["create", "--validate=false", "--filename=-", '--output=jsonpath={.status.allowed}{"\\n"}']
        answer = self._ask(*words, what=what, text=json.dumps(reviews), timeout=120).split()
        return [f"{verb} {each}" for (each, verb), allowed in zip(asked, answer, strict=True) if allowed != "true"]

    def _free(self) -> None:
        """See that no namespace of ours is already somebody else's: what is in it would be deleted one day."""
        taken = [name for name, mine in self._namespaces().items() if not mine]
        if taken:
            listed = ", ".join(taken)
            raise BadInput(
                Text(
                    en=f"LAB_CLUSTER=context:{self.name}: namespaces of somebody else stand there: {listed}",
                    fr=f"LAB_CLUSTER=context:{self.name} : des espaces d'un autre s'y trouvent : {listed}",
                ),
                Text(
                    en="the labs need these names: use another cluster, or remove them there if nobody needs them",
                    fr="les labs ont besoin de ces noms : autre cluster, ou supprimez-les s'ils sont inutiles",
                ),
            )

    def _namespaces(self) -> dict[str, bool]:
        """Return the namespaces of our names that stand, and whether they are ours."""
        key, _, value = _OURS.partition("=")
        return {
            each["metadata"]["name"]: (each["metadata"].get("labels") or {}).get(key) == value
            for each in self._json("get", "namespaces")["items"]
            if each["metadata"]["name"] in NAMESPACES
        }

    @property
    def _removing(self) -> Text:
        return Text(en=f"removing the labs from {self.name}", fr=f"suppression des labs de {self.name}")

    def _version(self) -> str:
        return self._ask("get", "--raw", "/version", what=Text.plain(self.name), timeout=30)

    def _json(self, *words: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self._ask(*words, "--output=json", what=Text.plain(" ".join(words))))
        return content

    def _ask(self, *words: str, what: Text, text: str | None = None, timeout: float = 60) -> str:
        own = ["--kubeconfig", str(self.kubeconfig)]
        if "delete" not in words:
            own.append(f"--request-timeout={_PATIENCE}")
        return run([*self._command(), *own, *words], what=what, input=text, timeout=timeout)

    def _theirs(self, *words: str) -> str:
        what = Text(en="reading your kubeconfig", fr="lecture de votre kubeconfig")
        return run([*self._command(), *words], what=what, env={"KUBECONFIG": _their_file(self.kubeconfig)}, timeout=30)

    def _command(self) -> list[str]:
        return [str(kubectl(self._settings, lambda _: None))]


def _their_file(own: Path) -> str:
    """Return the user's kubeconfig: `lab env` may have put ours in its place."""
    named = os.environ.get("KUBECONFIG", "")
    return named if named and named != str(own) else str(Path.home() / ".kube" / "config")


def _sizes(node: dict[str, Any]) -> dict[str, int]:
    images = node["status"].get("images", [])
    return {name: image.get("sizeBytes", 0) for image in images for name in image.get("names") or []}


def _closed(node: dict[str, Any]) -> bool:
    """Say whether a node takes no pods of ours."""
    taints = node["spec"].get("taints") or []
    return bool(node["spec"].get("unschedulable")) or any(each["effect"] == "NoSchedule" for each in taints)
