"""The peer MLServer: a runtime of the few lines that its documentation asks for.

It runs in an environment of its own, `mlserver start FOLDER` with FOLDER's model-settings.json naming this class.
"""

import numpy as np
from bench import serving_peer as peer
from mlserver import MLModel
from mlserver.types import InferenceRequest, InferenceResponse, ResponseOutput


class Model(MLModel):  # type: ignore[misc]  # MLServer is in its own environment only
    """Runs the model."""

    async def load(self) -> bool:
        """Load it."""
        self._session = peer.session()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Run it."""
        given = payload.inputs[0]
        (found,) = self._session.run(None, {given.name: np.array(list(given.data), np.float32).reshape(given.shape)})
        output = ResponseOutput(name="y", shape=list(found.shape), datatype="FP32", data=found.ravel().tolist())
        return InferenceResponse(model_name=self.name, model_version="1", outputs=[output])
