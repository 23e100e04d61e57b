"""MLflow's REST API over a wire that is played: what goes out, and by which name a failure comes back."""

from collections.abc import Callable

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
