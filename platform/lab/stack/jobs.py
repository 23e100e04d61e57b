"""CronJobs that are run at once, and followed to their end."""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence
from dataclasses import dataclass

from lab import process
from lab.api import Api, Object
from lab.errors import Busy, NotConverged
from lab.progress import Say
from lab.text import Text

_SLICE_SECONDS = 3
"""How long a watch goes on before it is asked whether the command was interrupted."""
_ALL_LINES = 1000
"""Lines of a log that are read where its words are the answer."""


@dataclass(frozen=True)
class Ended:
    """What came of a job that was asked something.

    Attributes:
        code: exit code of its container; None where there is no pod that tells.
        reason: why the container ended, as the cluster calls it: `Completed`, `Error`, `OOMKilled`.
        log: what it printed on both outputs.

    """

    code: int | None
    reason: str
    log: str


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
    job = _job(cron, namespace, _template(api, cron, namespace))
    ended = _followed(api, job, what, seconds)
    if not ended or not _over(ended):
        raise _failed(cron, namespace, _last_words(api, job["metadata"]["name"], namespace))


def ask(  # noqa: PLR0913, PLR0917  as `run`, and what is asked
    api: Api, cron: str, namespace: str, words: Sequence[str], say: Say, seconds: float = 900
) -> Ended:
    """Run a CronJob now with other arguments and return what came of it, success or not.

    Args:
        api: the cluster.
        cron: the CronJob's name.
        namespace: where it is.
        words: arguments of its one container.
        say: told what is waited for.
        seconds: how long it may take.

    Raises:
        Busy: one of its jobs is under way, whoever began it; names it.
        NotConverged: it did not end; names it and its last words.

    """
    what = Text(en=f"running {cron}", fr=f"exécution de {cron}")
    template = copy.deepcopy(_template(api, cron, namespace))
    _refuse_second(api, namespace, template)
    say(what)
    template["spec"]["template"]["spec"]["containers"][0]["args"] = list(words)
    job = _job(cron, namespace, template)
    ended = _followed(api, job, what, seconds)
    if ended is None:
        raise _failed(cron, namespace, _last_words(api, job["metadata"]["name"], namespace))
    return _told(api, ended, namespace)


def _template(api: Api, cron: str, namespace: str) -> Object:
    template: Object | None = (api.get("CronJob", cron, namespace) or {}).get("spec", {}).get("jobTemplate")
    if template is None:
        raise _failed(cron, namespace, Text(en="there is no such CronJob", fr="ce CronJob n'existe pas"))
    return template


def _followed(api: Api, job: Object, what: Text, seconds: float) -> Object | None:
    """Put a job in the place of an earlier one; return it when it is over, None where it does not end in time."""
    api.delete([job])
    api.apply([job])
    deadline, name = time.monotonic() + seconds, job["metadata"]["name"]
    namespace = job["metadata"]["namespace"]
    while time.monotonic() < deadline:
        found = api.watch("Job", namespace, lambda known: _over(known.get(name)) is not None, _SLICE_SECONDS).get(name)
        if _over(found) is not None:
            return found
        process.go_on(what)
    return None


def _refuse_second(api: Api, namespace: str, template: Object) -> None:
    """Refuse to begin while a job of the same template runs: both would work on the same volume.

    Raises:
        Busy: one does; names it.

    """
    labels = ",".join(f"{key}={value}" for key, value in template.get("metadata", {}).get("labels", {}).items())
    for other in api.find("Job", namespace, labels):
        if _over(other) is None:
            name = other["metadata"]["name"]
            end = f"`lab kubectl delete job -n {namespace} {name}`"
            raise Busy(
                Text(
                    en=f"Job/{name} in {namespace} is still at work",
                    fr=f"Job/{name} dans {namespace} est encore au travail",
                ),
                Text(
                    en=f"wait for its end, then run again; or end it: {end}",
                    fr=f"attendez sa fin, puis relancez ; ou arrêtez-le : {end}",
                ),
            )


def _told(api: Api, job: Object, namespace: str) -> Ended:
    """Return what a job's pod says of its end."""
    pods = api.find("Pod", namespace, f"batch.kubernetes.io/controller-uid={job['metadata']['uid']}")
    for pod in pods:
        for status in pod.get("status", {}).get("containerStatuses") or []:
            if ended := status.get("state", {}).get("terminated"):
                log = api.log(pod["metadata"]["name"], namespace, status["name"], lines=_ALL_LINES)
                return Ended(int(ended["exitCode"]), str(ended.get("reason", "")), log)
    # Past its deadline a job's pods are taken away; the job itself says so.
    told = [f"{each['reason']}: {each.get('message', '')}" for each in _conditions(job) if each.get("reason")]
    return Ended(None, "; ".join(told), "")


def _job(cron: str, namespace: str, template: Object) -> Object:
    metadata = {"name": f"{cron}-now", "namespace": namespace, "labels": template.get("metadata", {}).get("labels", {})}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": template["spec"]}


def _over(job: Object | None) -> bool | None:
    """Say whether a job succeeded; None while it has not ended."""
    for condition in _conditions(job or {}):
        if condition["type"] in ("Complete", "Failed"):
            return bool(condition["type"] == "Complete")
    return None


def _conditions(job: Object) -> list[Object]:
    return [each for each in job.get("status", {}).get("conditions") or [] if each["status"] == "True"]


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
