"""CronJobs that are run at once, and followed to their end."""

from __future__ import annotations

import time

from lab import process
from lab.api import Api, Object
from lab.errors import NotConverged
from lab.progress import Say
from lab.text import Text

_SLICE_SECONDS = 3
"""How long a watch goes on before it is asked whether the command was interrupted."""


def run(api: Api, cron: str, namespace: str, say: Say, seconds: float = 300) -> None:
    """Run a CronJob now and return when it succeeded; what an earlier run left is replaced.

    Args:
        api: the cluster.
        cron: the CronJob's name.
        namespace: where it is.
        say: told what is waited for.
        seconds: how long it may take.

    Raises:
        NotConverged: it failed or did not end; names it and its last words.

    """
    what = Text(en=f"running {cron}", fr=f"exécution de {cron}")
    say(what)
    template = (api.get("CronJob", cron, namespace) or {}).get("spec", {}).get("jobTemplate")
    if template is None:
        raise _failed(cron, namespace, Text(en="there is no such CronJob", fr="ce CronJob n'existe pas"))
    job = _job(cron, namespace, template)
    api.delete([job])
    api.apply([job])
    deadline, name = time.monotonic() + seconds, job["metadata"]["name"]
    while True:
        found = api.watch("Job", namespace, lambda known: _over(known.get(name)) is not None, _SLICE_SECONDS)
        over = _over(found.get(name))
        if over:
            return
        if over is False or time.monotonic() > deadline:
            raise _failed(cron, namespace, _last_words(api, name, namespace))
        process.go_on(what)


def _job(cron: str, namespace: str, template: Object) -> Object:
    metadata = {"name": f"{cron}-now", "namespace": namespace, "labels": template.get("metadata", {}).get("labels", {})}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": template["spec"]}


def _over(job: Object | None) -> bool | None:
    """Say whether a job succeeded; None while it has not ended."""
    for condition in (job or {}).get("status", {}).get("conditions") or []:
        if condition["status"] == "True" and condition["type"] in ("Complete", "Failed"):
            return bool(condition["type"] == "Complete")
    return None


def _last_words(api: Api, job: str, namespace: str) -> Text:
    pods = api.find("Pod", namespace, f"batch.kubernetes.io/job-name={job}")
    for pod in sorted(pods, key=lambda each: str(each["metadata"].get("creationTimestamp")), reverse=True):
        name = pod["metadata"]["name"]
        words = api.log(name, namespace, pod["spec"]["containers"][0]["name"], lines=3).strip()
        told = words or next(iter(api.events(namespace, name)[-1:]), "")
        if told:
            return Text.plain(f"pod {name}: {told}")
    return Text(en="none of its pods said why", fr="aucun de ses pods n'a dit pourquoi")


def _failed(cron: str, namespace: str, why: Text) -> NotConverged:
    return NotConverged(
        Text(
            en=f"CronJob/{cron} in {namespace}, run at once, did not succeed: {why.en}",
            fr=f"CronJob/{cron} dans {namespace}, lancé tout de suite, n'a pas réussi : {why.fr}",
        ),
        Text(
            en=f"`lab kubectl logs -n {namespace} job/{cron}-now` shows all of it; then run again",
            fr=f"`lab kubectl logs -n {namespace} job/{cron}-now` montre tout ; puis relancez",
        ),
    )
