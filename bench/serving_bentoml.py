"""The peer BentoML: `bentoml serve bench.serving_bentoml:Model --port PORT`.

It runs in an environment of its own, with one worker.
"""

from typing import Any

import bentoml
from bench import serving_peer as peer


@bentoml.service(workers=1)
class Model:
    """Runs the model."""

    def __init__(self) -> None:
        """Load it."""
        self._session = peer.session()

    @bentoml.api(route=f"/v2/models/{peer.MODEL}/infer")  # type: ignore[untyped-decorator]  # in its own environment only
    def infer(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        """Run it."""
        return peer.told(self._session.run(None, {"x": peer.rows({"inputs": inputs})})[0])
