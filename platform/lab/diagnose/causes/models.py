"""From features to a route: whether they are fresh, models are registered and fit, and requests lead to them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lab.diagnose.causes.model import Cause, Found
from lab.diagnose.causes.pods import part
from lab.diagnose.causes.refused import at
from lab.diagnose.causes.registry import CHAMPION, leave, point
from lab.diagnose.causes.scene import Scene
from lab.text import Text

STREAMED = {
    "weather_by_": "weather.read.v1", "departure_delay_by_": "flight.departed.v1",
    "arrival_delay_by_": "flight.arrived.v1",
}  # fmt: skip
"""What the names of views begin with that are written as events of a topic come; others are made once a day."""
_STALE_SECONDS = 300
_UNWRITTEN_SECONDS = 60
"""After which no view was written though rows came: longer than a quiet hour of the night at the usual pace."""
_MISFIT = re.compile(r"have the same definitions|FeaturesUnknown|CardWrong|contradicts its card")
_VERSION = re.compile(r"model (\S+) version (\d+)")
_TRIALS = "trial-"
"""Models that lab 04's experiments make, broken ones among them."""


def _stale(scene: Scene, _: str) -> Iterator[Found]:
    produced = scene.figure("produced", "topic")
    for view, age in scene.figure("feature_staleness", "view").items():
        topic = next((topic for begins, topic in STREAMED.items() if view.startswith(begins)), "")
        # At night no plane lands: without events of its own topic a view may well be old.
        if age > _STALE_SECONDS and produced.get(topic, 0) > 0:
            yield Found(f"View/{view}", "chain", f"{view} was last written {age:.0f} s ago, while events come")


def _ahead(scene: Scene, _: str) -> Iterator[Found]:
    ages = [age for view, age in scene.figure("feature_staleness", "view").items() if view.startswith(tuple(STREAMED))]
    # A consumer that reads its topics once more offers old rows as well, and then comes to new ones.
    if (older := sum(scene.figure("rows_older").values())) >= 1 and ages and min(ages) > _UNWRITTEN_SECONDS:
        told = f"{older:.0f} rows of the last minute are older than those held; the last came {min(ages):.0f} s ago"
        yield Found("StatefulSet/redis", "data", told)


def _none(scene: Scene, component: str) -> Iterator[Found]:
    asked = "serving" in scene.components and "mlflow" in scene.components and scene.stands(component)
    if asked and scene.health and not scene.problem("mlflow") and not scene.models():
        yield Found("Deployment/mlflow", "data", "no registered model")


def _alias(scene: Scene, _: str) -> Iterator[Found]:
    models = scene.models()
    for name, model in models.items():
        versions = {str(each) for each in part(model, "versions") or []}
        for alias, version in (part(model, "aliases") or {}).items():
            if version not in versions:
                told = f"{alias} points to version {version}, there are {sorted(versions)}"
                yield Found(f"Model/{name}", "", told, mend=point(scene, name, alias))
    stable = [each for each in scene.running("serving") if each.name == "serving-stable"]
    for workload in stable if models else []:
        settings = dict(workload.env())
        alias, default = settings.get("TARMAC_ALIAS"), settings.get("TARMAC_DEFAULT_MODEL")
        if default and default not in models:
            told = f"TARMAC_DEFAULT_MODEL={default}, there are {', '.join(sorted(models))}"
            # Who serves the challenger asks for the same model: if it does, the model is what is missing.
            yield at(workload, told, mend=f"lab reset {scene.lab}" if _asked_by_others(scene, default) else "")
        elif alias and alias not in (part(models, str(default), "aliases") or {} if default else _aliases(scene)):
            told = f"TARMAC_ALIAS={alias}, {default or 'no model'} has no such alias"
            yield at(workload, told, mend=point(scene, default, alias) if default and alias == CHAMPION else "")


def _asked_by_others(scene: Scene, model: str) -> bool:
    others = [each for each in scene.running("serving") if each.name != "serving-stable"]
    return any(("TARMAC_DEFAULT_MODEL", model) in each.env() for each in others)


def _aliases(scene: Scene) -> set[str]:
    return {alias for model in scene.models().values() for alias in part(model, "aliases") or {}}


def _misfit(scene: Scene, _: str) -> Iterator[Found]:
    if (count := scene.figure("lookup_failures", "reason").get("unknown", 0)) >= 1:
        yield Found("Deployment/serving-stable", "chain", f"{count:.0f} questions for features that are unknown")
    for pod, line in scene.logs("serving"):
        if _MISFIT.search(line) and _TRIALS not in line:
            named = _VERSION.search(line)
            mend = leave(scene, *named.groups()) if named else ""
            yield Found("Deployment/serving-stable", "chain", f"pod {pod.name}: {line[-250:]}", mend=mend)


def _refused(scene: Scene, _: str) -> Iterator[Found]:
    for each in scene.samples("models_refused"):
        model, version = (str(part(each, "labels", name) or "") for name in ("model", "version"))
        if float(part(each, "value") or 0) >= 1 and not model.startswith(_TRIALS):
            told = f"version {version} is refused" if version else "a version is refused"
            yield Found(f"Model/{model}", "", told, mend=leave(scene, model, version))


def _nowhere(scene: Scene, _: str) -> Iterator[Found]:
    services = {name for kind, namespace, name in scene.objects if kind == "Service" and namespace == "chain"}
    for kind in ("HTTPRoute", "GRPCRoute"):
        for route in scene.of(kind, "chain"):
            name = str(part(route, "metadata", "name"))
            for rule in part(route, "spec", "rules") or []:
                for backend in rule.get("backendRefs") or []:
                    if backend.get("weight", 1) and backend.get("name") not in services:
                        yield Found(f"{kind}/{name}", "chain", f"backend {backend.get('name')} is not there")
            yield from (Found(f"{kind}/{name}", "chain", told) for told in _unaccepted(route))
            if scene.stands("gateway"):
                yield from (Found(f"{kind}/{name}", "chain", told) for told in _untaken(route))


def _unaccepted(route: object) -> Iterator[str]:
    for parent in part(route, "status", "parents") or []:
        for each in parent.get("conditions") or []:
            if each.get("type") in ("Accepted", "ResolvedRefs") and each.get("status") == "False":
                yield f"{each.get('reason')}: {each.get('message')}"


def _untaken(route: object) -> Iterator[str]:
    """Go through the Gateways that a route is for while no controller says a word of it: there is none of that name."""
    namespace = part(route, "metadata", "namespace")
    answered = [part(each, "parentRef") for each in part(route, "status", "parents") or []]
    taken = {(part(each, "namespace") or namespace, part(each, "name")) for each in answered}
    for each in part(route, "spec", "parentRefs") or []:
        place = part(each, "namespace") or namespace, part(each, "name")
        if place not in taken:
            yield f"nobody has taken it for the Gateway {'/'.join(map(str, place))}"


STALE = Cause(
    "TD-FEATURES-STALE",
    Text(en="online features are stale", fr="les features en ligne sont périmées"),
    Text(
        en="Events come and are applied, but the online store is not written: predictions stand on old values.",
        fr="Les événements arrivent et sont appliqués, mais le magasin en ligne n'est pas écrit : les prédictions se "
        "fondent sur de vieilles valeurs.",
    ),
    "lab kubectl -n chain get deployment ingest-consumer -o yaml | grep -A1 TARMAC_REDIS",
    "lab up {lab}",
    _stale,
)
AHEAD = Cause(
    "TD-FEATURES-AHEAD",
    Text(en="online features are ahead of the events", fr="les features en ligne devancent les événements"),
    Text(
        en="The topics were lost and the replay began anew: the online store keeps what it had, since that is newer, "
        "and predictions stand on it until the replay has come as far again.",
        fr="Les topics ont été perdus et la relecture a recommencé : le magasin en ligne garde ce qu'il avait, car "
        "c'est plus récent, et les prédictions s'y fondent jusqu'à ce que la relecture en soit de nouveau là.",
    ),
    "lab kubectl -n chain logs deployment/ingest-producer --tail=20",
    "lab reset {lab}",
    _ahead,
)
NONE = Cause(
    "TD-MODELS-MISSING",
    Text(en="no model is registered", fr="aucun modèle n'est enregistré"),
    Text(
        en="MLflow answers, but holds no model: the training job did not run to its end, or its database is new.",
        fr="MLflow répond, mais n'a aucun modèle : le job d'entraînement n'est pas allé au bout, ou sa base est neuve.",
    ),
    "lab kubectl -n chain get jobs,cronjobs",
    "lab reset {lab}",
    _none,
)
ALIAS = Cause(
    "TD-ALIAS-WRONG",
    Text(en="an alias of the registry is wrong", fr="un alias du registre est faux"),
    Text(
        en="The server asks for an alias or a model that the registry does not have, or an alias points to a version "
        "that is not there.",
        fr="Le serveur demande un alias ou un modèle que le registre n'a pas, ou un alias pointe vers une version "
        "absente.",
    ),
    "lab kubectl -n chain get deployment serving-stable -o yaml | grep -A1 -e TARMAC_ALIAS -e TARMAC_DEFAULT_MODEL",
    "lab up {lab}",
    _alias,
)
MISFIT = Cause(
    "TD-SIGNATURE-MISMATCH",
    Text(en="model and features do not fit", fr="modèle et features ne s'accordent pas"),
    Text(
        en="The served model asks for features that the feature service does not have, or contradicts its own card.",
        fr="Le modèle servi demande des features que le service n'a pas, ou contredit sa propre fiche.",
    ),
    "lab kubectl -n chain logs deployment/serving-stable --tail=20",
    "lab up {lab}",
    _misfit,
)
REFUSED = Cause(
    "TD-MODEL-REFUSED",
    Text(en="a version of a model cannot be served", fr="une version d'un modèle ne peut être servie"),
    Text(
        en="A new version is no valid model, or too big; the version before it goes on.",
        fr="Une nouvelle version n'est pas un modèle valide, ou est trop grosse ; la précédente continue.",
    ),
    "lab kubectl -n chain logs deployment/serving-stable --tail=20",
    "lab release back",
    _refused,
)
NOWHERE = Cause(
    "TD-ROUTE-NOWHERE",
    Text(en="a route leads to nothing", fr="une route ne mène à rien"),
    Text(
        en="A route of the gateway names a Service or a Gateway that is not there, or is not accepted: requests end "
        "with 500 or 404.",
        fr="Une route de la passerelle nomme un Service ou un Gateway absent, ou n'est pas acceptée : les requêtes "
        "finissent en 500 ou 404.",
    ),
    "lab kubectl -n {namespace} describe {kind} {name}",
    "lab kubectl -n {namespace} delete {kind} {name}; lab up {lab}",
    _nowhere,
)
