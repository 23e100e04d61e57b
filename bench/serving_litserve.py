"""The peer LitServe: `python bench/serving_litserve.py PORT`.

It runs in an environment of its own: one API server, one worker, as its documentation begins.
"""

import sys
from typing import Any

import litserve
import numpy as np
from bench import serving_peer as peer


class Model(litserve.LitAPI):  # type: ignore[misc]  # LitServe is in its own environment only
    """Runs the model."""

    def setup(self, device: str) -> None:
        """Load it."""
        del device
        self._session = peer.session()

    # LitServe takes an annotation for the type of a body, `Any` even for a parameter of the query.
    def decode_request(self, request):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
        """Read a request."""
        return peer.rows(request)

    def batch(self, inputs: Any) -> Any:  # noqa: ANN401  as LitServe has it
        """Make one run of several requests, of a row each."""
        return np.concatenate(inputs)

    def unbatch(self, output: Any) -> Any:  # noqa: ANN401  as LitServe has it
        """Give each its own."""
        return np.split(output, len(output))

    def predict(self, x: Any) -> Any:  # noqa: ANN401  as LitServe has it
        """Run it."""
        return self._session.run(None, {"x": x})[0]

    def encode_response(self, output: Any) -> Any:  # noqa: ANN401  as LitServe has it
        """Write an answer."""
        return peer.told(output)


if __name__ == "__main__":
    batches = {"max_batch_size": peer.BATCH, "batch_timeout": peer.WAIT_SECONDS} if peer.BATCH > 1 else {}
    server = litserve.LitServer(Model(api_path=f"/v2/models/{peer.MODEL}/infer", **batches), accelerator="cpu")
    port = int(sys.argv[1])
    server.run(host="127.0.0.1", port=port, num_api_servers=1, generate_client_file=False, log_level="error")
