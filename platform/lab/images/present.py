"""Images made present: in the engine, then in the cluster's node; never the same content twice."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path

from filelock import FileLock

from lab.cluster import Cluster
from lab.cluster.engine import Engine
from lab.errors import NotConverged
from lab.images import fetch, upstream
from lab.images.catalogue import Catalogue
from lab.process import CommandFailed
from lab.progress import Say
from lab.settings import Settings
from lab.text import Text

_AT_ONCE = 2
"""Builds at a time: more would only fight for two cores."""
_KEPT = 2
"""Archives of one image in the cache, by when they were last of use: the present content, and the one before it, to
which a checkout may go back. Each is as large as its image, and a change of a shared layer makes new ones of all."""
_REMEDIES = (
    (
        ("no space left", "enough free space"),
        Text(
            en="the disk is full: free some gigabytes (`lab doctor` says how many), then run again",
            fr="le disque est plein : libérez quelques gigaoctets (`lab doctor` dit combien), puis relancez",
        ),
    ),
    (
        ("certificate verify failed", "unknown authority", "pkix path", "certificate verification failed"),
        Text(
            en="your network puts its own certificate in place of the registry's: add its authority to this machine "
            "(update-ca-certificates; for Maven, ca-certificates-java), then run again",
            fr="votre réseau remplace le certificat du dépôt par le sien : ajoutez son autorité à cette machine "
            "(update-ca-certificates ; pour Maven, ca-certificates-java), puis relancez",
        ),
    ),
    (
        ("could not resolve", "name resolution", "failure resolving", "no such host", "unknown host",
         "connection refused", "unreachable", "timed out", "failed to establish", "could not connect"),
        Text(
            en="a package registry does not answer: check the network and your mirror settings (`lab doctor`)",
            fr="un dépôt de paquets ne répond pas : vérifiez le réseau et vos miroirs (`lab doctor`)",
        ),
    ),
)  # fmt: skip
"""What programs say in their last words, in lower case, and what helps."""


def ensure(catalogue: Catalogue, names: list[str], engine: Engine, settings: Settings, say: Say) -> dict[str, str]:
    """Return the reference of each named image, present in the engine.

    Raises:
        NotConverged: an image can be neither pulled nor built; names the image and the step.

    """
    order = catalogue.lineage(names)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        jobs: dict[str, Future[None]] = {}
        # Parents come first in the order, so a waiting child never holds the last worker from its parent.
        for name in order:
            parent = catalogue.image(name).parent
            jobs[name] = pool.submit(_one, catalogue, name, jobs.get(parent or ""), engine, settings, say)
        wait(jobs.values(), return_when=FIRST_EXCEPTION)
        for job in jobs.values():
            # After a failure, what has not begun never will: the user is told soon.
            job.cancel()
        for job in jobs.values():
            if not job.cancelled():
                job.result()
    return {name: catalogue.reference(name) for name in names}


def absent(catalogue: Catalogue, names: list[str], engine: Engine, settings: Settings) -> list[str]:
    """Return which of the named images, and of those below them, neither engine nor cache has: they are to be made."""
    there = engine.images()
    return [
        name
        for name, reference in ((name, catalogue.reference(name)) for name in catalogue.lineage(names))
        if reference not in there and not _archive(settings, reference).exists()
    ]


def load(references: Iterable[str], cluster: Cluster, say: Say) -> bool:
    """Bring images to the cluster's node where it lacks them; say whether any was missing."""
    missing = sorted(set(references).difference(cluster.images()))
    if missing:
        names = ", ".join(reference for reference in missing)
        say(Text(en=f"loading {names} into the node", fr=f"chargement de {names} dans le nœud"))
        cluster.load_images(missing)
    return bool(missing)


def _one(  # noqa: PLR0913, PLR0917  all are what a build needs
    catalogue: Catalogue, name: str, parent: Future[None] | None, engine: Engine, settings: Settings, say: Say
) -> None:
    reference = catalogue.reference(name)
    archive = _archive(settings, reference)
    archive.parent.mkdir(parents=True, exist_ok=True)
    if engine.has_image(reference) or _restored(engine, archive):
        return
    if parent:
        parent.result()
    try:
        with FileLock(archive.with_suffix(".lock")):
            # Another command may have made it meanwhile.
            if not engine.has_image(reference):
                _made(catalogue, name, engine, settings, say)
                engine.save(archive, reference)
                _thin_out(archive.parent, name)
    except CommandFailed as error:
        archive.with_suffix(".part").unlink(missing_ok=True)
        raise _failed(name, error) from error


def _archive(settings: Settings, reference: str) -> Path:
    """Return the file of the cache that holds an image, or would."""
    return settings.cache / "images" / f"{reference.split('/')[1].replace(':', '-')}.tar"


def _restored(engine: Engine, archive: Path) -> bool:
    """Bring an image back from the cache; an archive that does not load is worth nothing and goes."""
    if not archive.exists():
        return False
    try:
        engine.load(archive)
    except CommandFailed:
        archive.unlink()
        return False
    archive.touch()
    return True


def _thin_out(folder: Path, name: str) -> None:
    """Remove what is too old of an image's archives."""
    own = re.compile(rf"{re.escape(name)}-[0-9a-f]+\.tar")  # `envoy` is not the beginning of `envoy-gateway`
    found = [path for path in folder.glob(f"{name}-*.tar") if own.fullmatch(path.name)]
    with suppress(FileNotFoundError):  # another command is at it as well
        for path in sorted(found, key=lambda each: each.stat().st_mtime, reverse=True)[_KEPT:]:
            path.unlink()


def _made(catalogue: Catalogue, name: str, engine: Engine, settings: Settings, say: Say) -> None:
    image, reference = catalogue.image(name), catalogue.reference(name)
    if image.upstream and upstream.pulled(engine, image.upstream):
        engine.tag(image.upstream, reference)
        return
    say(Text(en=f"building image {name}", fr=f"construction de l'image {name}"))
    with tempfile.TemporaryDirectory(dir=settings.cache / "images") as scratch:
        context = Path(scratch)
        if image.base and upstream.pulled(engine, image.base):
            upstream.export(engine, image.base, context / fetch.ROOT)
        fetch.stage(catalogue, name, context, settings, say)
        arguments = {"parent": catalogue.reference(image.parent)} if image.parent else {}
        engine.build(context, context / "Dockerfile", reference, arguments)


def _failed(name: str, error: CommandFailed) -> NotConverged:
    what = Text(
        en=f"image {name} cannot be made: {error.what.en}", fr=f"l'image {name} ne peut être faite : {error.what.fr}"
    )
    return NotConverged(what, _remedy(error, name))


def _remedy(error: CommandFailed, name: str) -> Text:
    words = error.output.lower()
    for signs, remedy in _REMEDIES:
        if any(sign in words for sign in signs):
            return remedy
    return Text(
        en=f"correct platform/images/{name} or what enters it, then run again",
        fr=f"corrigez platform/images/{name} ou ce qui y entre, puis relancez",
    )
