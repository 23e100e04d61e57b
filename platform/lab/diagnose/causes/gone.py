"""Components that are not there: deleted, asked to run no pod, or without one: none is made, or the old never ends."""

from __future__ import annotations

from collections.abc import Iterator

from lab.diagnose.causes.model import Cause, Found
from lab.diagnose.causes.pods import Workload
from lab.diagnose.causes.scene import Scene
from lab.text import Text

_TITLES = {
    "kafka": Text(en="Kafka is gone", fr="Kafka a disparu"),
    "objectstore": Text(en="the object store is gone", fr="le stockage d'objets a disparu"),
    "postgres": Text(en="PostgreSQL is gone", fr="PostgreSQL a disparu"),
    "redis": Text(en="Redis is gone", fr="Redis a disparu"),
    "ingest": Text(en="ingest is gone", fr="ingest a disparu"),
    "lake": Text(en="the lake's workers are gone", fr="les programmes du lac ont disparu"),
    "feature": Text(en="the feature service is gone", fr="le service de features a disparu"),
    "mlflow": Text(en="MLflow is gone", fr="MLflow a disparu"),
    "serving": Text(en="serving is gone", fr="serving a disparu"),
    "gateway": Text(en="the gateway is gone", fr="la passerelle a disparu"),
    "follow": Text(en="the live traffic is gone", fr="le trafic réel a disparu"),
    "prometheus": Text(en="Prometheus is gone", fr="Prometheus a disparu"),
    "jaeger": Text(en="Jaeger is gone", fr="Jaeger a disparu"),
    "page": Text(en="the platform's page is gone", fr="la page de la plateforme a disparu"),
}
_MEANS = {
    "kafka": Text(
        en="No event goes in or comes out: every service that reads or writes a topic waits, retries or crashes.",
        fr="Aucun événement n'entre ni ne sort : chaque service qui lit ou écrit un topic attend, réessaie ou plante.",
    ),
    "objectstore": Text(
        en="The lake takes and gives nothing, and MLflow has no artifacts: new versions of models cannot be fetched.",
        fr="Le lac ne prend ni ne donne rien, et MLflow n'a pas d'artefacts : plus de nouvelle version de modèle.",
    ),
    "postgres": Text(
        en="MLflow and the feature registry have no database: MLflow is not ready, nothing is registered.",
        fr="MLflow et le registre de features n'ont pas de base : MLflow n'est pas prêt, rien n'est enregistré.",
    ),
    "redis": Text(
        en="No feature can be read or written online: ingest is not ready, predictions of flights fail.",
        fr="Aucune feature ne se lit ni ne s'écrit en ligne : ingest n'est pas prêt, les prédictions de vols échouent.",
    ),
    "ingest": Text(
        en="Either no flights are replayed or none are applied: topics stand still, or their lag grows; features grow "
        "old.",
        fr="Soit aucun vol n'est rejoué, soit aucun n'est appliqué : les topics s'arrêtent ou le retard croît ; les "
        "features vieillissent.",
    ),
    "lake": Text(
        en="Events are no longer written into the lake, or its quality is no longer judged.",
        fr="Les événements ne sont plus écrits dans le lac, ou sa qualité n'est plus jugée.",
    ),
    "feature": Text(
        en="Nobody answers questions about features: predictions of flights fail with 503.",
        fr="Personne ne répond aux questions de features : les prédictions de vols échouent avec 503.",
    ),
    "mlflow": Text(
        en="Servers go on with the models that they have, but see no new version or alias; a new server does not "
        "start.",
        fr="Les serveurs gardent leurs modèles, mais ne voient ni nouvelle version ni alias ; un nouveau ne démarre "
        "pas.",
    ),
    "serving": Text(
        en="One of the tracks or workers has no pod: predictions fail at the gateway, or are no longer compared.",
        fr="Une des pistes ou un des programmes n'a pas de pod : les prédictions échouent, ou ne sont plus comparées.",
    ),
    "gateway": Text(
        en="Envoy or its controller has no pod: no request comes in, or no route can be changed.",
        fr="Envoy ou son contrôleur n'a pas de pod : aucune requête n'entre, ou aucune route ne change.",
    ),
    "follow": Text(
        en="Nobody asks for a prediction of each departure: releases have no requests to judge by.",
        fr="Personne ne demande de prédiction pour chaque départ : les livraisons n'ont pas de requêtes pour juger.",
    ),
    "prometheus": Text(
        en="There are no figures: the probe fails, releases are halted, the page is empty.",
        fr="Il n'y a plus de chiffres : la sonde échoue, les livraisons s'arrêtent, la page est vide.",
    ),
    "jaeger": Text(
        en="Traces are lost: the probe fails at the trace, services warn that they cannot export spans.",
        fr="Les traces sont perdues : la sonde échoue à la trace, les services disent ne pouvoir exporter leurs spans.",
    ),
    "page": Text(
        en="The page with the served models' figures does not answer; nothing depends on it.",
        fr="La page des chiffres des modèles servis ne répond pas ; rien n'en dépend.",
    ),
}


def gone(component: str) -> Cause:
    """Return the cause that a component is not there."""
    return Cause(
        f"TD-{component.upper()}-GONE",
        _TITLES[component],
        _MEANS[component],
        "lab status; lab kubectl -n {namespace} get {kind} {name}",
        "lab up {lab}",
        _gone,
    )


def _gone(scene: Scene, component: str) -> Iterator[Found]:
    for workload in scene.running(component):
        if told := _why(scene, workload):
            yield Found(workload.what, workload.namespace, told)
        elif not workload.stands and workload.pods and all(pod.overdue for pod in workload.pods):
            yield _lingers(workload)


def _why(scene: Scene, workload: Workload) -> str:
    if not workload.there:
        return "not there" if scene.objects else ""
    if workload.idle:
        return "spec.replicas: 0"
    if not scene.pods or workload.pods or workload.stands:
        return ""
    # A quota and the standard were asked about before; whatever else is refused (an account, say) is told here.
    return f"no pod: {why}" if (why := workload.refused()) else "no pod"


def _lingers(workload: Workload) -> Found:
    """Return a workload all of whose pods were deleted and do not end, so that none takes their place."""
    pod = workload.pods[0]
    said = [message for reason, message in pod.told if reason == "FailedKillPod"]
    told = f"pod {pod.name} was deleted, and should have ended {pod.overdue:.0f} s ago"
    names = " ".join(each.name for each in workload.pods)
    mend = f"lab kubectl -n {workload.namespace} delete pod {names} --force --grace-period=0"
    evidence = f"{told}: {said[-1][-200:]}" if said else told
    return Found(workload.what, workload.namespace, evidence, mend=mend)
