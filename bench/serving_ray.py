"""The peer Ray Serve: `python bench/serving_ray.py PORT FOLDER`.

It runs in an environment of its own: one proxy, one replica, everything that Ray starts on this machine and in FOLDER.
"""

import signal
import sys
from typing import Any

import numpy as np
import ray
from bench import serving_peer as peer
from ray import serve
from starlette.responses import JSONResponse


@serve.deployment(num_replicas=1, max_ongoing_requests=256)  # Ray is in its own environment only
class Model:
    """Runs the model."""

    def __init__(self) -> None:
        """Load it."""
        self._session = peer.session()

    @serve.batch(max_batch_size=peer.BATCH, batch_wait_timeout_s=peer.WAIT_SECONDS)  # type: ignore[untyped-decorator]
    async def together(self, asked: list[Any]) -> list[Any]:
        """Run several requests at once."""
        return peer.apart(self._session.run(None, {"x": np.concatenate(asked)})[0], asked)

    async def __call__(self, request: Any) -> Any:  # noqa: ANN401  as Ray has it
        """Answer a request."""
        asked = peer.rows(await request.json())
        found = await self.together(asked) if peer.BATCH > 1 else self._session.run(None, {"x": asked})[0]
        return JSONResponse(peer.told(found))  # with its length: what Ray makes of a dict comes in chunks


def _stop(*_: object) -> None:
    serve.shutdown()
    ray.shutdown()
    sys.exit(0)


if __name__ == "__main__":
    port, folder = sys.argv[1:]
    signal.signal(signal.SIGTERM, _stop)
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, _temp_dir=folder)
    serve.start(http_options={"host": "127.0.0.1", "port": int(port), "access_log": False})
    serve.run(Model.bind(), route_prefix=f"/v2/models/{peer.MODEL}/infer")  # type: ignore[attr-defined]  # decorated
    signal.pause()
