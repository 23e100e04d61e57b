"""Exercise `service-discovery`: a name that leads to the pods behind it."""

from __future__ import annotations

from lab.checks import Bundle, Finding, Findings, Text, View, check, need, shown

from . import work
from .work import result

_EXERCISE = "service-discovery"
_NAME = "delays"
_SERVICE = f"Service/{_NAME}"


@check
def service_discovery(bundle: Bundle) -> Findings:
    """Find whether Service/delays selects the pods of Deployment/delays, and calls by its name are answered."""
    service = bundle.object("Service", _NAME, work.NAMESPACE)
    workload = bundle.object("Deployment", _NAME, work.NAMESPACE)
    yield _selector(service, workload)
    slices = bundle.objects("EndpointSlice", work.NAMESPACE, {"kubernetes.io/service-name": _NAME})
    yield _endpoints([address for part in slices for address in _ready(part)], workload.number("spec.replicas"))
    yield _answered(result(bundle, _EXERCISE))


def _selector(service: View, workload: View) -> Finding:
    selector = _map(service.maybe("spec.selector"))
    labels = _map(workload.at("spec.template.metadata.labels"))
    seen = " ".join(f"{key}={value}" for key, value in selector.items()) or "{}"
    pods = " ".join(f"{key}={value}" for key, value in labels.items() if key in selector)
    return need(
        "selector",
        bool(selector) and all(labels.get(key) == value for key, value in selector.items()),
        f"{_SERVICE}: spec.selector: {seen}",
        Text(
            en=f"{_SERVICE}: spec.selector ({seen}) matches no pod of Deployment/{_NAME}, whose labels are: "
            f"{pods or ', '.join(labels)}",
            fr=f"{_SERVICE} : spec.selector ({seen}) ne désigne aucun pod du Deployment/{_NAME}, dont les labels "
            f"sont : {pods or ', '.join(labels)}",
        ),
        work.edit(
            _EXERCISE,
            en=f"compare spec.selector with the labels in spec.template.metadata.labels of Deployment/{_NAME}, "
            "letter by letter",
            fr=f"comparez spec.selector aux labels de spec.template.metadata.labels du Deployment/{_NAME}, "
            "lettre par lettre",
        ),
    )


def _endpoints(addresses: list[str], wanted: float) -> Finding:
    seen = f"Deployment/{_NAME}: spec.replicas={shown(wanted)} {_SERVICE}: {', '.join(addresses) or '-'}"
    return need(
        "endpoints",
        0 < wanted <= len(addresses),
        seen,
        Text(
            en=f"ready addresses in the EndpointSlices of {_SERVICE}: {len(addresses)}, wanted by Deployment/{_NAME} "
            f"(spec.replicas): {shown(wanted)}; the name leads nowhere, or not to every pod",
            fr=f"adresses prêtes dans les EndpointSlices de {_SERVICE} : {len(addresses)}, voulues par "
            f"Deployment/{_NAME} (spec.replicas) : {shown(wanted)} ; le nom ne mène nulle part, ou pas à tous les pods",
        ),
        work.edit(
            _EXERCISE,
            en=f"let spec.selector match, and see `kubectl -n lab-01 get pods -l app.kubernetes.io/name={_NAME}`: "
            "a pod counts once it is Ready",
            fr="faites correspondre spec.selector, et voyez `kubectl -n lab-01 get pods "
            f"-l app.kubernetes.io/name={_NAME}` : un pod compte dès qu'il est Ready",
        ),
    )


def _answered(run: View) -> Finding:
    calls, answered, source = run.number("calls"), run.number("answered"), run.text("source")
    seen = f"calls={shown(calls)} answered={shown(answered)} source={source}"
    return need(
        "answered",
        answered == calls > 0 and source == "live",
        seen,
        Text(
            en=f"calls by the name {_NAME} were not all answered by its pods in the last experiment: {seen}",
            fr=f"dans la dernière expérience, les pods n'ont pas répondu à tous les appels au nom {_NAME} : {seen}",
        ),
        Text(
            en=f"once {_SERVICE} has a ready address, run `lab compare 01 --only {_EXERCISE}` again",
            fr=f"dès que {_SERVICE} a une adresse prête, relancez `lab compare 01 --only {_EXERCISE}`",
        ),
    )


def _ready(part: View) -> list[str]:
    endpoints = part.maybe("endpoints")
    if endpoints is None or endpoints.value is None:
        return []  # Kubernetes writes null where the selector matches nothing.
    return [
        address.text()
        for endpoint in endpoints
        if _counts(endpoint.maybe("conditions.ready"))
        for address in endpoint.items("addresses")
    ]


def _counts(ready: View | None) -> bool:
    # The API says: a condition that is not there is to be read as ready.
    return ready is None or ready.value in (True, None)


def _map(place: View | None) -> dict[str, object]:
    if place is None or place.value is None:
        return {}
    return {key: view.value for key, view in place.entries().items()}
