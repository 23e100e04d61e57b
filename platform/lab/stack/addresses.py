"""Where the services of a lab answer on this machine."""

from __future__ import annotations

from lab.settings import PORTS, Settings
from lab.spec import LabSpec

_PAGES = ("ingest", "lake", "feature", "objectstore", "mlflow", "serving", "gateway", "page", "prometheus", "jaeger")
"""Components that answer over HTTP."""


def urls(settings: Settings, lab: LabSpec | None) -> dict[str, str]:
    """Return where a lab's services answer on this machine, gRPC without a scheme; none where no lab stands."""
    if lab is None:
        return {}
    own = f"lab-{lab.code}"
    more = {name.removeprefix(f"{own}-"): name for name in PORTS if name.startswith(f"{own}-")}
    ports = {"lab": own} | more | {name: name for name in _PAGES if name in lab.components}
    grpc = {"grpc": f"127.0.0.1:{settings.port('gateway-grpc')}"} if "gateway" in lab.components else {}
    return {name: f"http://127.0.0.1:{settings.port(port)}" for name, port in ports.items()} | grpc
