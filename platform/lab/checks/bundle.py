"""What checks look at: the recorded state of a cluster, with the lookups that exercises need."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from lab.checks.paths import JsonDict
from lab.checks.view import APPLY, Missing, View
from lab.text import Text

_GENERATE = Text(
    en="let the step of the guide that uses it run, wait a minute, then check again",
    fr="laissez tourner l'étape du guide qui l'utilise, attendez une minute, puis revérifiez",
)


class Bundle:
    """A recorded state; every lookup raises `Missing`, which names what is not there.

    Args:
        state: the bundle's JSON, in the form that `lab.state.bundle` writes.

    """

    def __init__(self, state: JsonDict) -> None:
        self._root = View(state, "bundle")

    def objects(self, kind: str, namespace: str | None = None, labels: Mapping[str, str] | None = None) -> list[View]:
        """Return the Kubernetes objects of a kind; only those of a namespace or with labels, where named."""
        return [
            _named(item)
            for item in self._root.items("objects")
            if _is(item, "kind", kind)
            and (namespace is None or _is(item, "metadata.namespace", namespace))
            and all(_is(item, f"metadata.labels[{key}]", value) for key, value in (labels or {}).items())
        ]

    def object(self, kind: str, name: str, namespace: str | None = None) -> View:
        """Return one Kubernetes object.

        Raises:
            Missing: there is none of that name; says which there are.

        """
        there = self.objects(kind, namespace)
        for item in there:
            if _is(item, "metadata.name", name):
                return item
        raise _unknown(f"{kind}/{name}", name, [item.where.partition("/")[2] for item in there], APPLY)

    def container(self, workload: View, name: str) -> View:
        """Return a container of a Deployment, StatefulSet, DaemonSet, Job or CronJob.

        Raises:
            Missing: it has none of that name.

        """
        template = workload.maybe("spec.jobTemplate.spec.template") or workload.at("spec.template")
        return View(template.at(f"spec.containers[{name}]").value, f"{workload.where}: containers[{name}]")

    def env(self, workload: View, container: str, variable: str) -> View:
        """Return the value of an environment variable, looked up in ConfigMaps where it comes from one.

        Raises:
            Missing: it is not set, or its ConfigMap does not hold it.

        """
        view = self.container(workload, container)
        where = f"{view.where}.env[{variable}]"
        entry = view.maybe(f"env[{variable}]")
        if entry is not None:
            return View(self._value_of(entry).value, where)
        for source in view.maybe("envFrom") or []:
            value = self._config_value(source.maybe("configMapRef.name"), variable)
            if value is not None:
                return View(value.value, where)
        raise Missing(
            Text(en=f"{view.where} does not set {variable}", fr=f"{view.where} ne fixe pas {variable}"), APPLY
        )

    def answer(self, name: str) -> View:
        """Return the body of a recorded HTTP answer.

        Raises:
            Missing: it was not recorded, or its status is not 200.

        """
        answer = self._entry("answers", name, _GENERATE)
        status = answer.number("status")
        if status != 200:  # noqa: PLR2004  HTTP's own figure
            raise Missing(
                Text(
                    en=f"{answer.where} came back with status {status:.0f}, not 200",
                    fr=f"{answer.where} est revenue avec le statut {status:.0f}, pas 200",
                ),
                _GENERATE,
            )
        return View(answer.at("body").value, answer.where)

    def metric(self, name: str, labels: Mapping[str, str] | None = None) -> float:
        """Return the sum of a recorded query's samples that carry the given labels.

        Raises:
            Missing: the query was not recorded or has no such sample.

        """
        query = self._entry("metrics", name, _GENERATE)
        samples = [
            sample.number("value")
            for sample in query
            if all(_is(sample, f"labels[{key}]", value) for key, value in (labels or {}).items())
        ]
        if not samples:
            shown = ", ".join(f"{key}={value}" for key, value in (labels or {}).items())
            raise Missing(
                Text(
                    en=f"metric {name} has no sample {shown}".rstrip(),
                    fr=f"la métrique {name} n'a pas d'échantillon {shown}".rstrip(),
                ),
                _GENERATE,
            )
        return sum(samples)

    def topic(self, name: str) -> View:
        """Return a topic: `partitions`, `config`, `begin` and `end` offsets.

        Raises:
            Missing: there is none of that name.

        """
        return self._entry("topics", name, APPLY)

    def records(self, topic: str) -> float:
        """Return how many records a topic holds now.

        Raises:
            Missing: there is no such topic, or its offsets were not recorded.

        """
        view = self.topic(topic)
        return sum(view.numbers("end")) - sum(view.numbers("begin"))

    def lag(self, group: str, topic: str | None = None) -> float:
        """Return how many records a consumer group still has to read, in all topics or in one.

        Raises:
            Missing: there is no such group, or it reads no such topic.

        """
        topics = self._entry("groups", group, _GENERATE)
        read = [topics.at(f"[{topic}]")] if topic else list(topics.entries().values())
        return sum(partition.number("lag") for view in read for partition in view)

    def traces(self, service: str) -> list[View]:
        """Return the recorded traces of a service: `traceId`, `operations`, `services`.

        Raises:
            Missing: none were recorded.

        """
        return self._entry("traces", service, _GENERATE).items()

    def model(self, name: str) -> View:
        """Return a registered model: `aliases` (alias -> version, as text) and `versions`, oldest first.

        Raises:
            Missing: there is none of that name.

        """
        return self._entry("models", name, APPLY)

    def _entry(self, part: str, name: str, remedy: Text) -> View:
        entries = self._root.entries(part)
        if name not in entries:
            raise _unknown(f"{part}[{name}]", name, sorted(entries), remedy)
        return View(entries[name].value, f"{part}[{name}]")

    def _value_of(self, entry: View) -> View:
        value = entry.maybe("value")
        if value is not None:
            return value
        key = entry.text("valueFrom.configMapKeyRef.key")
        found = self._config_value(entry.maybe("valueFrom.configMapKeyRef.name"), key)
        return found if found is not None else entry.at("value")

    def _config_value(self, config_map: View | None, key: str) -> View | None:
        if config_map is None:
            return None
        return self.object("ConfigMap", config_map.text()).maybe(f"data[{key}]")


def _named(item: View) -> View:
    kind, name = item.text("kind"), item.maybe("metadata.name")
    return View(item.value, f"{kind}/{name.value if name else '?'}")


def _is(item: View, path: str, wanted: str) -> bool:
    place = item.maybe(path)
    return place is not None and place.value == wanted


def _unknown(what: str, name: str, there: list[str], remedy: Text) -> Missing:
    close = difflib.get_close_matches(name, there, n=3) or there[:8]
    shown = ", ".join(close)
    return Missing(
        Text(
            en=f"{what} is not there" + (f"; there is: {shown}" if shown else ""),
            fr=f"{what} n'existe pas" + (f" ; il y a : {shown}" if shown else ""),
        ),
        remedy,
    )
