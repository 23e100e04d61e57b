"""What the serving benchmarks ask, in each server's own words, and how its answers are held to the model's own.

One request in a hundred of ours carries a trace that is recorded.
"""

import contextlib
import itertools
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnxruntime
from bench import serving_model as model

_DIFFERENT = 100
"""Requests, taken in turn; the first of them is traced."""
_HELD = 16
"""Of them, to the model's own answers."""
_PATIENCE = 60.0
_LOADING = (404, 503)
"""What a server may answer until its model is there."""
_TRACED = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
_HEAD_LENGTH = "Inference-Header-Content-Length"


class Asked(NamedTuple):
    """Requests for a path.

    Attributes:
        path: where they go.
        wire: as a candidate has it (bench/serving_servers.py).
        rows: of each.
        model: that answers.
    """

    path: str
    wire: str
    rows: int = 1
    model: str = model.NAME

    def tensors(self) -> list[np.ndarray[Any, np.dtype[np.float32]]]:
        """Return what is asked about, float32 [rows, 32] each."""
        drawn = model.rows(_DIFFERENT + self.rows - 1)
        return [np.array(drawn[at : at + self.rows], np.float32) for at in range(_DIFFERENT)]

    def requests(self) -> Iterator[tuple[dict[str, str], bytes]]:
        """Give headers and body of each request."""
        for number, tensor in enumerate(self.tensors()):
            headers, body = self._said(tensor)
            yield headers | (_TRACED if number == 0 else {}), body

    def files(self, folder: Path) -> list[str]:
        """Write the requests as they go over the wire; where they are."""
        found = []
        for number, (headers, body) in enumerate(self.requests()):
            file = folder / f"{self.path.strip('/').replace('/', '-')}-{self.wire}-{self.rows}-{number}"
            told = {"Host": "127.0.0.1", **headers, "Content-Length": str(len(body))}
            lines = "".join(f"{name}: {value}\r\n" for name, value in told.items())
            file.write_bytes(f"POST {self.path} HTTP/1.1\r\n{lines}\r\n".encode() + body)
            found.append(str(file))
        return found

    def predictions(self, answer: bytes, headers: Any) -> list[float]:  # noqa: ANN401  as urllib has them
        """Return the numbers in an answer."""
        if self.wire == "raw":
            return np.frombuffer(answer, np.float32).tolist()  # type: ignore[no-any-return]
        if self.wire == "binary":
            return np.frombuffer(answer[int(headers[_HEAD_LENGTH]) :], np.float32).tolist()  # type: ignore[no-any-return]
        told = json.loads(answer)
        if self.wire == "v2":
            return list(map(float, told["outputs"][0]["data"]))
        found = told["predictions"]
        # MLflow names a model's outputs.
        return np.ravel(found[model.OUTPUT] if isinstance(found, dict) else found).astype(float).tolist()

    def _said(self, tensor: np.ndarray[Any, np.dtype[np.float32]]) -> tuple[dict[str, str], bytes]:
        if self.wire == "raw":
            return {"Content-Type": "application/octet-stream"}, tensor.tobytes()
        named = {"name": model.INPUT, "shape": list(tensor.shape), "datatype": "FP32"}
        if self.wire == "binary":
            given = {**named, "parameters": {"binary_data_size": tensor.nbytes}}
            head = json.dumps({"inputs": [given], "parameters": {"binary_data_output": True}}).encode()
            told = {"Content-Type": "application/octet-stream", _HEAD_LENGTH: str(len(head))}
            return told, head + tensor.tobytes()
        data = [round(each, 3) for each in map(float, tensor.ravel())]
        whole = {"inputs": tensor.tolist()} if self.wire == "mlflow" else {"inputs": [{**named, "data": data}]}
        return {"Content-Type": "application/json"}, json.dumps(whole).encode()


def held(name: str, asked: Asked, port: int, models: Path) -> None:
    """Hold a server's answers to those of onnxruntime itself; it is asked until it is ready.

    Raises:
        SystemExit: it refuses, or says something else.

    """
    path = str(models / asked.model / "1/model.onnx")
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    right = [session.run(None, {model.INPUT: each})[0].ravel() for each in asked.tensors()]
    for (headers, body), expected in itertools.islice(zip(asked.requests(), right, strict=True), _HELD):
        said = _answer(port, asked, headers, body)
        if not np.allclose(said, expected, rtol=1e-3, atol=1e-4):
            raise SystemExit(f"{name} answers {said[:3]}, onnxruntime {expected[:3]}")


def _answer(port: int, asked: Asked, headers: dict[str, str], body: bytes) -> list[float]:
    deadline = time.monotonic() + _PATIENCE
    request = urllib.request.Request(f"http://127.0.0.1:{port}{asked.path}", body, headers, method="POST")
    while True:
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  our own address
                return asked.predictions(answer.read(), answer.headers)
        except urllib.error.HTTPError as failure:
            if failure.code not in _LOADING or time.monotonic() > deadline:
                raise SystemExit(f"{asked.path}: {failure.code} {failure.read(500)!r}") from None
        except OSError:  # nobody listens yet
            if time.monotonic() > deadline:
                raise
        time.sleep(0.2)


class _Spans(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        """Take spans, and forget them."""
        self.rfile.read(int(self.headers.get("content-length", "0")))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def collector() -> Iterator[str]:
    """Take spans at an address of this machine, and forget them."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Spans) as taker:
        threading.Thread(target=taker.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{taker.server_address[1]}"
        taker.shutdown()
