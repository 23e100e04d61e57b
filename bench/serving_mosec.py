"""The peer mosec: `python bench/serving_mosec.py --port PORT --address 127.0.0.1`.

It runs in an environment of its own: one worker, msgspec for JSON.
"""

from typing import Any

import msgspec
import numpy as np
from bench import serving_peer as peer
from mosec import Server, Worker


class Model(Worker):  # type: ignore[misc]  # mosec is in its own environment only
    """Runs the model; where batches are on, it gets lists."""

    def __init__(self) -> None:
        """Load it."""
        super().__init__()
        self._session = peer.session()

    def deserialize(self, data: bytes) -> Any:  # noqa: ANN401  as mosec has it
        """Read a request."""
        return peer.rows(data if peer.RAW else msgspec.json.decode(data))

    def serialize(self, data: Any) -> bytes:  # noqa: ANN401  as mosec has it
        """Write an answer."""
        return data.tobytes() if peer.RAW else msgspec.json.encode(peer.told(data))

    def forward(self, data: Any) -> Any:  # noqa: ANN401  rows, or a list of them
        """Run them."""
        if not isinstance(data, list):
            return self._session.run(None, {"x": data})[0]
        return peer.apart(self._session.run(None, {"x": np.concatenate(data)})[0], data)


if __name__ == "__main__":
    server = Server()
    # mosec takes milliseconds, and gives a list wherever a batch may be larger than one.
    wait = round(1000 * peer.WAIT_SECONDS) if peer.BATCH > 1 else 0
    server.append_worker(Model, num=1, max_batch_size=peer.BATCH, max_wait_time=wait)
    server.run()
