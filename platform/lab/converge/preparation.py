"""What labs need that is fetched or built, made before anybody waits for it."""

from __future__ import annotations

from collections.abc import Sequence

from lab import images, tools
from lab.cluster import choose, engine, node
from lab.progress import Say
from lab.settings import Settings
from lab.spec import Course
from lab.stack import definitions


def prepare(settings: Settings, codes: Sequence[str], say: Say) -> list[str]:
    """Have the programs, the node's image, and the images and kinds of labs here; nothing is started but the engine.

    Args:
        settings: which cache, and for which kind of cluster.
        codes: numbers of the labs.
        say: told what is made.

    Returns:
        The images' references.

    Raises:
        BadInput: there is no such lab.
        CommandFailed: something cannot be fetched.
        NotConverged: an image can be neither pulled nor built; names the image and the step.

    """
    course = Course(settings.root)
    labs = [course.lab(code) for code in codes]
    running = engine.ensure(say)
    if choose(settings).backend == "kind":
        tools.kind(settings, say)
        node.ensure(settings, running, say)
    tools.kubectl(settings, say)
    helm = tools.helm(settings, say)
    for name in sorted({name for lab in labs for name in lab.components}):
        if kinds := course.components[name].definitions:
            definitions.taken(kinds, helm, settings, say)
    names = sorted(set().union(*map(course.images, labs)))
    return sorted(images.ensure(images.Catalogue(settings.root), names, running, settings, say).values())
