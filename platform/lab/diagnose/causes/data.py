"""Kafka, object store and Redis: what can be wrong with them while they run; and what ingest makes of the events."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from lab.diagnose.causes.chain import LAB
from lab.diagnose.causes.model import Cause, Found
from lab.diagnose.causes.pods import part
from lab.diagnose.causes.scene import Scene
from lab.text import Text

_LAG = 5000
"""Events that may wait; as the alert IngestLagging has it."""
_NO_MEMORY = re.compile(r"command not allowed when used memory")
"""What Redis answers whose write has no room any more."""
_BUCKET = re.compile(r"NoSuchBucket|bucket does not exist", re.IGNORECASE)
_NAMED = re.compile(r"<BucketName>([^<]+)<|s3://([^/\s\"']+)")
_FOLDER = re.compile(r"/data/objects/([a-z0-9.-]+)")


def _silent(scene: Scene, _: str) -> Iterator[Found]:
    if scene.stands("kafka") and (told := scene.problem("kafka")):
        yield Found("StatefulSet/kafka", "platform", told)


def _topics(scene: Scene, _: str) -> Iterator[Found]:
    there = scene.topics()
    if scene.problem("kafka") or not scene.stands("kafka"):
        return
    for name in part(scene.health, "declared", "topics") or []:
        if name not in there:
            yield Found(f"Topic/{name}", evidence=f"there are: {', '.join(sorted(there)) or 'none'}"[:300])


def _bucket(scene: Scene, component: str) -> Iterator[Found]:
    # The lab's own bucket concerns the lab only: it is asked last.
    for pod, line in scene.logs(*((LAB,) if component == LAB else ("lake", "mlflow", "serving"))):
        if _BUCKET.search(line):
            named = _NAMED.search(line)
            # A bucket that the store was made with is gone with what was in it; another is a wrong setting.
            gone = named and (named[1] or named[2]) in _buckets(scene)
            yield Found(f"Pod/{pod.name}", pod.namespace, line[-300:], mend=f"lab reset {scene.lab}" if gone else "")


def _buckets(scene: Scene) -> set[str]:
    """Return the buckets that the object store makes when it starts: folders, as its own words have it."""
    words = json.dumps([part(each.item, "spec", "template", "spec") for each in scene.running("objectstore")])
    return set(_FOLDER.findall(words))


def _full(scene: Scene, _: str) -> Iterator[Found]:
    counted = scene.figure("redis_refused")
    if (refused := sum(counted.values())) >= 1:
        yield Found("StatefulSet/redis", "data", f"{refused:.0f} writes refused in 5 minutes")
    # A count of none is newer than what a client that waits may have said last.
    for pod, line in () if counted else scene.logs(*scene.components, LAB):
        if _NO_MEMORY.search(line):
            yield Found("StatefulSet/redis", "data", f"pod {pod.name}: {line[-300:]}")


def _lag(scene: Scene, _: str) -> Iterator[Found]:
    growth = scene.figure("lag_growth", "topic")
    for topic, waiting in scene.figure("lag", "topic").items():
        if waiting > _LAG and growth.get(topic, 0) > 0:
            told = f"{topic}: {waiting:.0f} events wait, {growth[topic]:+.0f} in a minute"
            yield Found("Deployment/ingest-consumer", "chain", told)


def _poison(scene: Scene, _: str) -> Iterator[Found]:
    for topic, count in scene.figure("dead_letters", "topic").items():
        if count >= 1:
            yield Found(f"Topic/{topic}", evidence=f"{count:.0f} events of {topic} refused in 10 minutes")


SILENT = Cause(
    "TD-KAFKA-SILENT",
    Text(en="Kafka runs but does not answer", fr="Kafka tourne mais ne répond pas"),
    Text(
        en="The broker's pod is ready, yet a client on this machine gets no answer: the port's way in, or the broker "
        "itself, hangs.",
        fr="Le pod du courtier est prêt, mais un client de cette machine n'a pas de réponse : l'accès au port, ou le "
        "courtier, est bloqué.",
    ),
    "lab kubectl -n platform logs statefulset/kafka --tail=20",
    "lab kubectl -n platform rollout restart statefulset/kafka",
    _silent,
)
TOPIC = Cause(
    "TD-TOPIC-MISSING",
    Text(en="a topic is missing", fr="un topic manque"),
    Text(
        en="A topic that the lab declares is not there, and the broker makes none by itself: its writers and readers "
        "wait.",
        fr="Un topic que le lab déclare n'existe pas, et le courtier n'en crée pas seul : ses écrivains et lecteurs "
        "attendent.",
    ),
    "lab kubectl -n platform logs statefulset/kafka --tail=20; lab support {lab}",
    "lab up {lab}",
    _topics,
)
BUCKET = Cause(
    "TD-BUCKET-MISSING",
    Text(en="a bucket is missing", fr="un bucket manque"),
    Text(
        en="A service names a bucket that the object store does not have: the lake or the artifacts cannot be read.",
        fr="Un service nomme un bucket que le stockage d'objets n'a pas : le lac ou les artefacts sont illisibles.",
    ),
    "lab kubectl -n data exec deployment/objectstore -- ls /data/objects",
    "lab up {lab}",
    _bucket,
)
FULL = Cause(
    "TD-REDIS-FULL",
    Text(en="Redis is full", fr="Redis est plein"),
    Text(
        en="Redis has reached its memory limit and refuses writes: online features stay as they are.",
        fr="Redis a atteint sa limite de mémoire et refuse les écritures : les features en ligne restent figées.",
    ),
    "lab kubectl -n data describe statefulset redis",
    "lab reset {lab}",
    _full,
)
LAG = Cause(
    "TD-INGEST-LAG",
    Text(en="the consumer falls behind", fr="le consommateur prend du retard"),
    Text(
        en="Events come in faster than the consumer applies them: its lag grows, features and the lake grow old.",
        fr="Les événements arrivent plus vite que le consommateur ne les applique : le retard croît, features et lac "
        "vieillissent.",
    ),
    "lab kubectl -n chain describe deployment ingest-consumer ingest-producer",
    "lab up {lab}",
    _lag,
)
POISON = Cause(
    "TD-EVENTS-POISONED",
    Text(en="events break their contract", fr="des événements violent leur contrat"),
    Text(
        en="Somebody writes events that the contract refuses: they go to dead-letter.v1 with the reason, and are "
        "missing everywhere else.",
        fr="Quelqu'un écrit des événements que le contrat refuse : ils vont dans dead-letter.v1 avec la raison, et "
        "manquent partout ailleurs.",
    ),
    "lab kubectl -n chain logs deployment/ingest-consumer --tail=20",
    "lab kubectl -n chain exec deployment/ingest-consumer -- python3 -m ingest replay-dead-letters",
    _poison,
    mild=True,
)
