"""The convergence engine: each phase makes true what the next one needs, and does nothing where it is true already."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial

from lab import images, process, tools
from lab.api import Api, Object
from lab.broker import Broker
from lab.budget import Watch
from lab.checkpoint import Arrival, Kept, put_back
from lab.cluster import Cluster, Status, choose, node
from lab.cluster import engine as engines
from lab.converge.probe import EarlyProof, probe
from lab.progress import Progress, Say
from lab.settings import Settings
from lab.spec import Course, LabSpec
from lab.stack import jobs, namespaces, readiness, secrets
from lab.stack.addresses import urls
from lab.stack.manifests import Manifests
from lab.stack.release import Release
from lab.stack.values import values_for
from lab.state.record import Record
from lab.text import Text


@dataclass
class Outcome:
    """What a convergence came to.

    Attributes:
        lab: the lab's number.
        urls: where its services answer on this machine.
        changed: True when anything had to be done.
        proof: what the end-to-end probe saw.

    """

    lab: str
    urls: dict[str, str]
    changed: bool = False
    proof: dict[str, object] = field(default_factory=dict)


def converge(
    settings: Settings, code: str, progress: Progress, *, anew: bool = False, kept: Kept | Arrival | None = None
) -> Outcome:
    """Bring a lab up, from whatever stands now, and prove it end to end.

    Args:
        settings: which cluster.
        code: the lab's number.
        progress: shows the phases.
        anew: True where the lab was just taken away: what is not there yet cannot be proven beforehand.
        kept: a state whose volumes are put back before anything is made that uses them; it may be on its way already.

    Raises:
        LabError: what stands in the way, with object, field and remedy.

    """
    run = _Run(settings, Course(settings.root), code, progress)
    record = Record(settings)
    run.last, run.anew = record.lab(), anew
    if isinstance(kept, Arrival):
        run.arrival, kept = kept, kept.kept
    run.kept = kept
    names = [
        "cluster",
        *(["volumes"] if kept else []),
        "images",
        *run.lab.components,
        "topics",
        f"lab-{run.lab.code}",
        "probe",
    ]
    with progress.shown(names, record.usual()):
        outcome = run.all()
    took = {phase.name: phase.seconds for phase in progress.phases if phase.state == "done"}
    record.converged(run.lab.code, took)
    run.watch.keep(settings)
    return outcome


class _Run:
    """One convergence; holds what its phases pass on."""

    def __init__(self, settings: Settings, course: Course, code: str, progress: Progress) -> None:
        self.settings = settings
        self.course = course
        self.lab: LabSpec = course.lab(code)
        self.progress = progress
        self.cluster: Cluster = choose(settings, [course.components[name] for name in self.lab.components])
        self.manifests = Manifests(settings, course.folder(code), self.lab)
        self.catalogue = images.Catalogue(settings.root)
        self.references = {name: self.catalogue.reference(name) for name in course.images(self.lab)}
        self.last: str | None = None
        """The lab that was last brought up."""
        self.anew = False
        self.watch = Watch(course, self.lab, self.cluster)
        self.kept: Kept | None = None
        self.arrival: Arrival | None = None
        self.early: EarlyProof | None = None
        self.proof: dict[str, object] = {}
        self.there: dict[str, Future[None]] = {name: Future() for name in self.references}
        self.renewed: set[str] = set()

    def all(self) -> Outcome:
        """Run every phase; independent components side by side."""
        before = self.cluster.status()
        runs = before is Status.RUNNING
        self.watch.comes(before, self.last, anew=self.anew, kept=self.kept is not None)
        # Where the lab stood already, a proof can be begun before anything else.
        stood = self.last == self.lab.code and not self.anew
        self.early = EarlyProof(self.settings, self.lab.components) if runs and stood else None
        with ThreadPoolExecutor(max_workers=2) as pool:
            # While the node starts, or is compiled, the other images are made: neither needs the other.
            made = pool.submit(self._made, before)
            built = pool.submit(self._built) if runs else None
            try:
                self._phase("cluster", lambda say: self._cluster(before, say))
            except BaseException:
                # Without a cluster nobody needs the images: the error is told now, not when they are built.
                process.end_all()
                raise
            made.result()
            # Before anything is changed: a mistake in the trainee's files leaves the cluster as it was.
            objects = built.result() if built else self._built()
        self.api = Api(self.settings)
        with self.watch.over(self.api, self.references.values()):
            spaces = self._namespaces()
            self._secrets(spaces)
            if self.kept:
                self._phase("volumes", partial(self._put_back, self.kept))
            self._stack(objects)
            if self.kept:
                self.api.apply(self.kept.snapshot.objects)
        return Outcome(self.lab.code, urls(self.settings, self.lab), self._changed(), self.proof)

    def _changed(self) -> bool:
        """Say whether anything had to be done; the probe changes nothing."""
        return any(phase.state == "done" and phase.name != "probe" for phase in self.progress.phases)

    def _phase(self, name: str, work: Callable[[Say], bool]) -> None:
        """Run a phase that says whether it changed anything."""
        with self.progress.phase(name) as phase:
            phase.unchanged = not work(self.progress.teller(phase))

    def _cluster(self, before: Status, say: Say) -> bool:
        self.cluster.up(say)
        return before is not Status.RUNNING

    def _put_back(self, kept: Kept, say: Say) -> bool:
        with nullcontext(self.arrival) if self.arrival else Arrival(self.api, self.cluster, kept) as arrival:
            put_back(self.api, arrival, say)
            return True

    def _made(self, status: Status) -> None:
        """Make the images and Helm beforehand where there is no cluster yet, which then needs them all."""
        if status is not Status.ABSENT:
            return
        say = self.progress.say
        if self.cluster.backend == "kind" and node.absent(self.settings, engines.ensure(say)):
            self.watch.built = True
        self._ensured(sorted(self.references), say)
        tools.helm(self.settings, say)

    def _ensured(self, names: list[str], say: Say) -> None:
        """Have images in the engine, and remember whether that took more than loading them."""
        engine = engines.ensure(say)
        self.watch.built |= bool(images.absent(self.catalogue, names, engine, self.settings))
        images.ensure(self.catalogue, names, engine, self.settings, say)

    def _images(self, say: Say) -> bool:
        """Bring the images to the node, those of what starts first before the others; each is told as it comes."""
        missing = set(self.references.values()).difference(self.cluster.images())
        for names in self._waves():
            lacking = [name for name in names if self.references[name] in missing]
            if lacking:
                self._ensured(lacking, say)
                images.load([self.references[name] for name in lacking], self.cluster, say)
            for name in names:
                self.there[name].set_result(None)
        return bool(missing)

    def _waves(self) -> list[list[str]]:
        """Return the images that the first component runs, which others wait for, then all the rest at once.

        Images in one wave are copied together, and the layers that they share only once.
        """
        first = set(self.course.components[_ordered(self.lab, self.course)[0]].images.values())
        return [sorted(first), sorted(set(self.references) - first)]

    def _namespaces(self) -> set[str]:
        names = {self.course.components[name].namespace for name in self.lab.components} | {self.lab.namespace}
        namespaces.ensure(self.api, names)
        return names

    def _secrets(self, spaces: set[str]) -> None:
        """Make every Secret before anything that reads it: a pod whose Secret is missing is given up at once."""
        components = {name: self.course.components[name] for name in self.lab.components}
        self.renewed = secrets.ensure(self.api, components, spaces, self.lab.namespace)

    def _stack(self, objects: list[Object]) -> None:
        """Bring images, components, topics and the lab up, each as soon as what it needs stands."""
        begun: dict[str, Future[None]] = {}
        with ThreadPoolExecutor(max_workers=len(self.lab.components) + 4) as pool:
            begun["images"] = pool.submit(self._delivered)
            for name in _ordered(self.lab, self.course):
                needs = [begun[need] for need in self.course.components[name].needs if need in begun]
                if "kafka" in self.course.components[name].needs:
                    needs.append(begun["topics"])
                needs += [self.there[image] for image in self.course.components[name].images.values()]
                begun[name] = pool.submit(self._after, needs, name, partial(self._release, name))
                if name == "kafka":
                    begun["topics"] = pool.submit(self._after, [begun["kafka"]], "topics", self._topics)
            needs = [begun["topics"], *(self.there[image] for image in self.lab.images)]
            # Its manifests may be of kinds that a component defines.
            needs += [begun[name] for name in self.lab.components if self.course.components[name].definitions]
            begun["lab"] = pool.submit(self._after, needs, f"lab-{self.lab.code}", partial(self._lab, objects))
            # The probe's event goes in as soon as somebody takes it, and waits on its way for what comes later; a proof
            # begun early counts if nothing was changed, which is known when all stands.
            needs = list(begun.values()) if self.early else [begun[name] for name in _TAKES_EVENTS if name in begun]
            begun["probe"] = pool.submit(self._after, needs, "probe", partial(self._probe, begun))
            for job in begun.values():
                job.result()

    def _delivered(self) -> None:
        try:
            self._phase("images", self._images)
        except BaseException as error:
            for waited in self.there.values():
                if not waited.done():
                    waited.set_exception(error)
            raise

    def _after(self, needs: list[Future[None]], name: str, work: Callable[[Say], bool]) -> None:
        for need in needs:
            need.result()
        self._phase(name, work)

    def _release(self, name: str, say: Say) -> bool:
        component = self.course.components[name]
        values = values_for(component, self.references, self.settings, self.lab.values.get(name, {}))
        release = Release(name, component, tools.helm(self.settings, say), values, self.settings)
        changed = not release.stands(self.api)
        if changed:
            release.install(self.api, say)
        readiness.wait(self.api, release.workloads(), component.namespace, say)
        # What they would make is in the volumes that were put back.
        for cron in component.jobs if changed and not self.kept else ():
            jobs.run(self.api, cron, component.namespace, say)
        if changed:
            release.settled(self.api)
        return changed or name in self.renewed

    def _probe(self, begun: Mapping[str, Future[None]], say: Say) -> bool:
        """Prove the stack end to end; a proof begun early counts where nothing was changed since."""
        proof = self.early.result() if self.early and not self._changed() else None
        turn = self.early.given_up() if self.early else None
        self.proof = proof or probe(self.settings, say, self.lab.components, lambda name: begun[name].result(), turn)
        return True

    def _topics(self, _: Say) -> bool:
        with Broker(self.settings) as broker:
            return bool(broker.declare(self.course.topics(self.lab)))

    def _built(self) -> list[Object]:
        """Return the objects of the trainee's working copy, which is made of the start where there is none."""
        say = self.progress.say
        if self.manifests.begin():
            where = self.manifests.work.relative_to(self.settings.root)
            say(Text(en=f"your working copy is {where}", fr=f"votre copie de travail est {where}"))
        return self.manifests.build(self.references, say)

    def _lab(self, objects: list[Object], say: Say) -> bool:
        changed = self.manifests.apply(self.api, objects)
        readiness.wait(self.api, _workloads(objects), self.lab.namespace, say)
        return bool(changed)


_TAKES_EVENTS = ("ingest",)
"""Component that has to stand before the probe's event is sent: it tells what time it is for the replay."""


def _ordered(lab: LabSpec, course: Course) -> list[str]:
    order: list[str] = []

    def place(name: str) -> None:
        for need in course.components[name].needs:
            if need in lab.components:
                place(need)
        if name not in order:
            order.append(name)

    for name in lab.components:
        place(name)
    return order


def _workloads(objects: list[Object]) -> list[Object]:
    return [each for each in objects if each["kind"] in ("Deployment", "StatefulSet")]
