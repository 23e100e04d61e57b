"""MLflow's REST API over a wire that is played: what goes out, and by which name a failure comes back."""

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import ClassVar

import httpx
import pytest

from runtime.mlflow import Mlflow, NotRegistered, RegistryFailure, path_of

ADDRESS = "http://mlflow:5000"
FILES = "/api/2.0/mlflow-artifacts/artifacts"

Answer = Callable[[httpx.Request], httpx.Response]
Call = Callable[[Mlflow], object]


def registry(answer: Answer) -> Mlflow:
    """A client whose wire leads to `answer`."""
    return Mlflow(ADDRESS, 5, httpx.MockTransport(answer))


def _streamed(mlflow: Mlflow) -> bytes:
    with mlflow.streamed("1/a b", "model.onnx") as parts:
        return b"".join(parts)


CALLS: list[Call] = [
    lambda mlflow: mlflow.ask("mlflow/runs/get", dict, run_id="r"),
    lambda mlflow: mlflow.point("m", "champion", "1"),
    lambda mlflow: mlflow.located("m", "1"),
    _streamed,
    lambda mlflow: mlflow.download("1/a b", "model.onnx"),
    lambda mlflow: mlflow.upload("1/a b", "model.onnx", b"x"),
    lambda mlflow: mlflow.remove("1/a b"),
]


def test_parameters_that_are_empty_are_left_out() -> None:
    """A first page has no token; others go with the question as they are."""
    seen: list[httpx.URL] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url)
        return httpx.Response(200, json={"model_versions": []})

    wanted = "name = 'a&b'"
    registry(answer).ask("mlflow/model-versions/search", dict, filter=wanted, max_results=7, page_token="")
    assert seen[0].path == "/api/2.0/mlflow/model-versions/search"
    assert dict(seen[0].params) == {"filter": wanted, "max_results": "7"}


def test_files_go_there_and_come_back() -> None:
    """Under the path of their place, in which names are what they are in the address."""
    place = path_of("mlflow-artifacts:/1/a%20b")
    kept: dict[str, bytes] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "PUT":
            kept[request.url.path] = request.content
            return httpx.Response(200, json={})
        return httpx.Response(200, content=kept[request.url.path])

    mlflow = registry(answer)
    mlflow.upload(place, "model.onnx", b"content")
    assert [*kept] == [f"{FILES}/1/a b/model.onnx"]
    assert mlflow.download(place, "model.onnx") == _streamed(mlflow) == b"content"


@pytest.mark.parametrize("call", CALLS)
def test_no_answer_is_told_with_the_address(call: Call) -> None:
    """By one name, whatever was asked."""

    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(RegistryFailure, match=rf"MLflow at {ADDRESS}, [A-Z]+ /api/.*refused.*lab status"):
        call(registry(away))


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("status", [302, 400, 403, 500, 503])
def test_an_answer_that_is_none_is_told_with_its_words(call: Call, status: int) -> None:
    """Nor is a way elsewhere followed: what lies there is not taken for a file."""
    with pytest.raises(RegistryFailure, match=f": {status} no luck today") as told:
        call(registry(lambda _: httpx.Response(status, content=b"no luck\ntoday", headers={"Location": "/"})))
    assert not isinstance(told.value, NotRegistered)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("status", "code"),
    [(404, {"error_code": "RESOURCE_DOES_NOT_EXIST"}), (400, {"message": "Registered model alias x not found."})],
)
def test_what_is_not_registered_is_told_apart(call: Call, status: int, code: dict[str, str]) -> None:
    """An alias that is not there counts as a wrong parameter with MLflow."""
    with pytest.raises(NotRegistered, match="MLflow's page"):
        call(registry(lambda _: httpx.Response(status, json=code)))


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"", b"\xff"])
def test_an_answer_of_something_else_is_a_failure(body: bytes) -> None:
    """A server of another kind at that address: never an empty answer."""
    with pytest.raises(RegistryFailure, match="is that address MLflow"):
        registry(lambda _: httpx.Response(200, content=body)).ask("mlflow/runs/get", dict)


def test_who_answers_at_an_old_address_is_not_asked_for_ever() -> None:
    """After an error the next call connects anew: a name that leads elsewhere by now is looked up again."""

    class Handler(BaseHTTPRequestHandler):
        """Says which connection a request came by, and refuses the first two requests."""

        protocol_version = "HTTP/1.1"
        seen: ClassVar[list[int]] = []

        def do_GET(self) -> None:
            self.seen.append(self.client_address[1])
            self.send_response(404 if len(self.seen) <= 2 else 200)
            self.send_header("Content-Length", "2" if len(self.seen) > 2 else "0")
            self.end_headers()
            if len(self.seen) > 2:
                self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        mlflow = Mlflow(f"http://127.0.0.1:{server.server_port}", 5)
        for _ in range(2):
            with pytest.raises(NotRegistered):
                mlflow.ask("mlflow/runs/get", dict)
        for _ in range(3):
            assert mlflow.ask("mlflow/runs/get", dict) == {}
        mlflow.close()
        server.shutdown()
    first, second, *kept = Handler.seen
    assert len({first, second, *kept}) == 3
    assert len(set(kept)) == 1
