"""The HTTPRoute of the Gateway API: where requests go, and, in an annotation of the same object, why.

Its GRPCRoute, if there is one of the same name, does as it does: it is held to what the annotation says at every
glance, whoever changed it. So gRPC may be a moment behind, and never goes another way.

Weights and state are written together, in one patch that holds for one `resourceVersion` alone. So a route never says
anything else than its release, and of two controllers that act at once one is told that it came second, before it has
done anything. A merge patch and not a server-side apply: the `rules` of a route are one value to Kubernetes, which has
to be written whole in either way, and a refusal for its version is then told apart from one for anything else (409).
"""

from dataclasses import dataclass, replace
from typing import Any

import msgspec

from releases import state as states
from releases.errors import ApiFailure, Conflict, Missing
from releases.kube import Kube
from releases.plan import AB
from releases.rules import Condition, Rule, weighed
from releases.state import State
from releases.statistics.experiment import dealt

ANNOTATION = "tarmac.dev/release"
_TRIES = 3
_GATEWAY = "/apis/gateway.networking.k8s.io/v1/namespaces"


@dataclass(frozen=True)
class Held:
    """The route as it was read.

    Attributes:
        state: of its release; None where there has been none.
        version: its resourceVersion.
        uid: of the object.
        rules: as they are.
    """

    state: State | None
    version: str
    uid: str
    rules: list[Rule]


class Route:
    """One HTTPRoute, and the GRPCRoute beside it.

    Args:
        kube: the API.
        name: of the route.
        header: with which callers ask for B, and servers are told who got what.
        unit: header with which callers say who asks.
    """

    def __init__(self, kube: Kube, name: str, header: str, unit: str) -> None:
        self.name = name
        self.namespace = kube.namespace
        self._kube = kube
        self._header = header
        self._unit = unit
        self._path = f"{_GATEWAY}/{kube.namespace}/httproutes/{name}"
        self._beside = f"{_GATEWAY}/{kube.namespace}/grpcroutes/{name}"

    def read(self) -> Held:
        """The route and its release.

        Raises:
            ApiFailure: there is no such route, its annotation cannot be read, or the API does not say.
        """
        return self._held(self._kube.get(self._path))

    def write(self, held: Held, state: State) -> Held:
        """Keep `state`, and let the route do what it says.

        Raises:
            Conflict: the release or the rules have changed since `held` was read; nothing was written.
            ApiFailure: the API refuses or does not answer.
        """
        for _ in range(_TRIES - 1):
            try:
                return self._written(held, state)
            except Conflict:
                # The gateway tells a route's status within moments of every change, and with it the version is another.
                now = self.read()
                if replace(now, version=held.version) != held:
                    raise
                held = now
        return self._written(held, state)

    def _written(self, held: Held, state: State) -> Held:
        body = {
            "metadata": {"resourceVersion": held.version, "annotations": {ANNOTATION: states.written(state)}},
            "spec": {"rules": self.wanted(held.rules, state)},
        }
        return self._held(self._kube.patch(self._path, body))

    def level(self, state: State) -> None:
        """Let the GRPCRoute do what the HTTPRoute does; nothing where that is done, or where there is none.

        Args:
            state: as it was last read or written.

        Raises:
            Conflict: somebody else changed the GRPCRoute at the same moment.
            ApiFailure: the API refuses or does not answer, or no rule leads to the stable Service.
        """
        try:
            beside = self._kube.get(self._beside)
        except Missing:
            return
        rules = beside["spec"].get("rules", [])
        wanted = self.wanted(rules, state)
        if rules != wanted:
            version = beside["metadata"]["resourceVersion"]
            self._kube.patch(self._beside, {"metadata": {"resourceVersion": version}, "spec": {"rules": wanted}})

    def wanted(self, rules: list[Rule], state: State) -> list[Rule]:
        """The rules that the state asks for, made from those that are there."""
        return weighed(rules, state.plan, state.route, self._header, self._drawn(state))

    def _drawn(self, state: State) -> Condition | None:
        """What the header of a unit that gets B is like, while an A/B test runs."""
        if not state.test or not isinstance(state.plan, AB):
            return None
        return {"type": "RegularExpression", "name": self._unit, "value": dealt(state.test, state.plan.share)}

    def _held(self, route: Any) -> Held:  # noqa: ANN401  any JSON
        metadata = route["metadata"]
        text = metadata.get("annotations", {}).get(ANNOTATION)
        try:
            state = states.read(text) if text else None
        except msgspec.DecodeError as failure:
            remedy = f"remove the annotation {ANNOTATION}; the release it told of is then forgotten"
            raise ApiFailure(f"HTTPRoute/{self.name}, {ANNOTATION}: {failure}", remedy) from failure
        return Held(state, metadata["resourceVersion"], metadata.get("uid", ""), route["spec"].get("rules", []))
