"""A real gateway with the chart's own command: its buckets, who comes in, and what a commit of a table counts on."""

import re
import shutil
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from contract.charts.rendering import SETTINGS, Case, containers, named
from integration.components.pods import Pod, free_port
from integration.components.s3 import Signed
from lab.images import Catalogue
from lab.tools import golang

ACCESS, SECRET = "a-key", "a-secret"
PART = 5 * 2**20
"""The smallest that a part may be, the last one apart."""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the gateway, compiled as for the image."""
    go = Catalogue(SETTINGS.root).image("objectstore").go
    assert go
    compiled = golang.compiled(SETTINGS, lambda _: None, go.module, go.version, go.package)
    return Path(shutil.copy(compiled, tmp_path_factory.mktemp("gateway") / "versitygw"))


class Gateway(Pod):
    """One pod of the chart, its buckets made.

    Args:
        case: how the chart is rendered.
        folder: where its own folder is made.
        program: the gateway.

    """

    def __init__(self, case: Case, folder: Path, program: Path) -> None:
        (folder / "data").mkdir(parents=True)
        self.port = free_port()
        moved = {"/data": f"{folder}/data", ":7070": f"127.0.0.1:{self.port}", "/usr/local/bin/versitygw": str(program)}
        super().__init__(folder, moved, {"ROOT_ACCESS_KEY": ACCESS, "ROOT_SECRET_KEY": SECRET})
        self.setup, self.container = containers(named(case, "Deployment", "objectstore"))

    def up(self) -> None:
        """Make the buckets and start the gateway."""
        assert self.run(self.setup).returncode == 0
        self.start(self.container, self.port)

    def client(self, secret: str = SECRET) -> httpx.Client:
        """Return a client that signs with a secret; with none, one that does not sign."""
        auth = Signed(ACCESS, secret) if secret else None
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}", auth=auth, timeout=20)


@pytest.fixture(params=["default", "ha"])
def gateway(request: pytest.FixtureRequest, tmp_path: Path, program: Path) -> Iterator[Gateway]:
    """Return a gateway that serves; what it knows of objects lies on them or, in the other profile, beside."""
    with Gateway(Case("objectstore", request.param), tmp_path / "pod", program) as gateway:
        gateway.up()
        yield gateway


@pytest.fixture
def s3(gateway: Gateway) -> Iterator[httpx.Client]:
    """Return a client with the right key."""
    with gateway.client() as client:
        yield client


def _all(tag: str, answer: httpx.Response) -> list[str]:
    assert answer.status_code == httpx.codes.OK, answer.text
    return re.findall(f"<{tag}>([^<]*)</{tag}>", answer.text)


def test_the_buckets_are_there_from_the_start(gateway: Gateway, s3: httpx.Client) -> None:
    """The lake's, DVC's and MLflow's; a restart finds them, and what is in them, as they were."""
    assert _all("Name", s3.get("/")) == ["dvc", "lake", "mlflow"]
    s3.put("/lake/a/b", content=b"x")
    gateway.end()
    gateway.up()
    assert _all("Name", s3.get("/")) == ["dvc", "lake", "mlflow"]
    assert s3.get("/lake/a/b").content == b"x"


def test_what_is_put_can_be_got_listed_and_deleted(s3: httpx.Client) -> None:
    """Bytes, metadata and type come back; a list knows folders; what is deleted is gone."""
    headers = {"x-amz-meta-run": "7", "Content-Type": "a/b"}
    assert s3.put("/mlflow/1/model/data.bin", content=bytes(range(256)), headers=headers).status_code == httpx.codes.OK
    got = s3.get("/mlflow/1/model/data.bin")
    assert (got.content, got.headers["x-amz-meta-run"], got.headers["Content-Type"]) == (bytes(range(256)), "7", "a/b")
    listed = s3.get("/mlflow", params={"list-type": "2", "prefix": "1/", "delimiter": "/"})
    assert "1/model/" in _all("Prefix", listed)
    assert s3.delete("/mlflow/1/model/data.bin").status_code == httpx.codes.NO_CONTENT
    assert s3.get("/mlflow/1/model/data.bin").status_code == httpx.codes.NOT_FOUND
    assert _all("KeyCount", s3.get("/mlflow", params={"list-type": "2"})) == ["0"]


def test_a_large_file_goes_up_in_parts(s3: httpx.Client) -> None:
    """What DVC pushes: several parts, one object, the same bytes back, and any range of them."""
    parts = [bytes([number]) * PART for number in (1, 2)] + [b"end"]
    (upload,) = _all("UploadId", s3.post("/dvc/large", params={"uploads": ""}))
    listed = ""
    for number, part in enumerate(parts, start=1):
        answer = s3.put("/dvc/large", params={"partNumber": str(number), "uploadId": upload}, content=part)
        listed += f"<Part><PartNumber>{number}</PartNumber><ETag>{answer.headers['ETag']}</ETag></Part>"
    whole = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>"
    assert _all("Key", s3.post("/dvc/large", params={"uploadId": upload}, content=whole)) == ["large"]
    assert s3.get("/dvc/large").content == b"".join(parts)
    assert s3.get("/dvc/large", headers={"Range": f"bytes={2 * PART - 1}-"}).content == b"\x02end"


@pytest.mark.parametrize(("secret", "code"), [("other", "SignatureDoesNotMatch"), ("", "AccessDenied")])
def test_nobody_comes_in_without_the_key(secret: str, code: str, gateway: Gateway) -> None:
    """A wrong secret and no signature at all: neither reads nor writes; the key is told nowhere."""
    with gateway.client(secret) as client:
        for answer in (client.get("/lake", params={"list-type": "2"}), client.put("/lake/x", content=b"x")):
            assert answer.status_code == httpx.codes.FORBIDDEN
            assert f"<Code>{code}</Code>" in answer.text
    (process,) = gateway.running
    assert SECRET not in gateway.log() + Path(f"/proc/{process.pid}/cmdline").read_text()


def test_the_question_whether_it_lives_needs_no_key(gateway: Gateway) -> None:
    """The chart's probes are answered; they are all that is open."""
    path = gateway.container["readinessProbe"]["httpGet"]["path"]
    with gateway.client("") as client:
        assert client.get(path).status_code == httpx.codes.OK
        assert client.get("/").status_code == httpx.codes.FORBIDDEN


def test_one_of_many_writers_makes_an_object_that_must_not_be_there(gateway: Gateway, s3: httpx.Client) -> None:
    """How a Delta table is committed: of those who write version 1 at the same time one wins, and the others know."""

    def commit(number: int) -> int:
        with gateway.client() as client:
            return client.put(
                "/lake/t/_delta_log/1.json", content=str(number).encode(), headers={"If-None-Match": "*"}
            ).status_code

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(commit, range(8)))
    assert sorted(results) == [httpx.codes.OK, *[httpx.codes.PRECONDITION_FAILED] * 7]
    assert int(s3.get("/lake/t/_delta_log/1.json").content) == results.index(httpx.codes.OK)


def test_what_was_acknowledged_outlives_a_kill(gateway: Gateway, s3: httpx.Client) -> None:
    """SIGKILL right after the last answer: every object is there, whole."""
    for number in range(50):
        assert s3.put(f"/lake/k/{number}", content=str(number).encode() * 1000).status_code == httpx.codes.OK
    gateway.end(signal.SIGKILL)
    gateway.up()
    with gateway.client() as client:
        assert _all("KeyCount", client.get("/lake", params={"list-type": "2"})) == ["50"]
        assert client.get("/lake/k/49").content == b"49" * 1000
