"""The door to the Kubernetes API: the scale of one Deployment, asked for as Kubernetes wants it."""

from pathlib import Path
from typing import Any

import pytest

from patterns.kube import ApiFailure, NoAccount, Replicas, Scale
from unit.patterns.servers import nobody, serving


@pytest.fixture
def account(tmp_path: Path) -> Path:
    """A service account as Kubernetes mounts it."""
    (tmp_path / "token").write_text("first\n")
    (tmp_path / "namespace").write_text("lab-01")
    return tmp_path


def test_the_scale_is_read_and_set_through_the_subresource(account: Path) -> None:
    """GET and PATCH of deployments/worker/scale, a merge patch, with the token of the moment."""
    wanted = [1]

    def api(method: str, _: str, body: Any) -> tuple[int, Any]:  # noqa: ANN401  any JSON
        if method == "PATCH":
            wanted[0] = body["spec"]["replicas"]
        return 200, {"spec": {"replicas": wanted[0]}, "status": {"replicas": 1}}

    with serving(api) as server:
        scale = Scale(server.address, account, "worker")
        assert scale.get() == Replicas(1, 1)
        (account / "token").write_text("second\n")  # Kubernetes replaces it while the pod runs
        assert scale.set(0) == Replicas(0, 1)
        path = "/apis/apps/v1/namespaces/lab-01/deployments/worker/scale"
        assert server.calls == [("GET", path, None), ("PATCH", path, {"spec": {"replicas": 0}})]
        assert [it["Authorization"] for it in server.headers] == ["Bearer first", "Bearer second"]
        assert server.headers[1]["Content-Type"] == "application/merge-patch+json"


def test_zero_replicas_may_be_left_out_of_the_answer(account: Path) -> None:
    """Kubernetes leaves zeros out of its JSON; they are zeros all the same."""
    with serving(lambda *_: (200, {"spec": {}, "status": {}})) as server:
        assert Scale(server.address, account, "worker").get() == Replicas(0, 0)


def test_a_refusal_names_the_role_to_look_at(account: Path) -> None:
    """403 is a matter of rights: the message says which Role."""
    with serving(lambda *_: (403, {})) as server, pytest.raises(ApiFailure, match="Role/scaler"):
        Scale(server.address, account, "worker").set(1)


def test_an_api_that_is_away_is_a_temporary_failure(account: Path) -> None:
    """Nobody at the address: ApiFailure, which the scaler survives."""
    with nobody() as address, pytest.raises(ApiFailure):
        Scale(address, account, "worker").get()


def test_without_an_account_it_says_what_to_give_the_pod(tmp_path: Path) -> None:
    """No token mounted: a permanent failure that names the fields of the pod."""
    with pytest.raises(NoAccount, match="serviceAccountName"):
        Scale("http://127.0.0.1:1", tmp_path / "nothing", "worker")
