"""A real gateway with the chart's own command, asked by the S3 client that MLflow and DVC use too."""

import io
import shutil
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped]  # has no types of its own
import pytest
from botocore import UNSIGNED  # type: ignore[import-untyped]
from botocore.client import Config  # type: ignore[import-untyped]
from botocore.exceptions import ClientError  # type: ignore[import-untyped]

from contract.charts.rendering import SETTINGS, Case, containers, named
from integration.components.pods import Pod, free_port
from lab.images import Catalogue
from lab.tools import golang

ACCESS, SECRET = "a-key", "a-secret"


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
        folder: empty.
        program: the gateway.

    """

    def __init__(self, case: Case, folder: Path, program: Path) -> None:
        folder.mkdir()
        self.port = free_port()
        moved = {"/data": f"{folder}/data", ":7070": f"127.0.0.1:{self.port}", "/usr/local/bin/versitygw": str(program)}
        super().__init__(folder, moved, {"ROOT_ACCESS_KEY": ACCESS, "ROOT_SECRET_KEY": SECRET})
        self.setup, self.container = containers(named(case, "Deployment", "objectstore"))

    def up(self) -> None:
        """Make the buckets and start the gateway."""
        assert self.run(self.setup).returncode == 0
        self.start(self.container, self.port)

    def client(self, secret: str = SECRET) -> Any:  # noqa: ANN401  boto3 has no types
        """Return an S3 client; with an empty secret, one that does not sign."""
        config = Config(retries={"total_max_attempts": 1}, **({} if secret else {"signature_version": UNSIGNED}))
        return boto3.client(
            "s3", endpoint_url=f"http://127.0.0.1:{self.port}", aws_access_key_id=ACCESS, aws_secret_access_key=secret,
            region_name="us-east-1", config=config,
        )  # fmt: skip


@pytest.fixture(params=["default", "ha"])
def gateway(request: pytest.FixtureRequest, tmp_path: Path, program: Path) -> Iterator[Gateway]:
    """Return a gateway that serves; what it knows of objects lies on them or, in the other profile, beside."""
    with Gateway(Case("objectstore", request.param), tmp_path / "pod", program) as gateway:
        gateway.up()
        yield gateway


def _code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_the_buckets_are_there_from_the_start(gateway: Gateway) -> None:
    """The lake's, DVC's and MLflow's; a restart finds them, and what is in them, as they were."""
    assert {each["Name"] for each in gateway.client().list_buckets()["Buckets"]} == {"lake", "dvc", "mlflow"}
    gateway.client().put_object(Bucket="lake", Key="a/b", Body=b"x")
    gateway.end()
    gateway.up()
    assert {each["Name"] for each in gateway.client().list_buckets()["Buckets"]} == {"lake", "dvc", "mlflow"}
    assert gateway.client().get_object(Bucket="lake", Key="a/b")["Body"].read() == b"x"


def test_what_is_put_can_be_got_listed_and_deleted(gateway: Gateway) -> None:
    """Bytes, metadata and type come back; a list knows folders; what is deleted is gone."""
    client = gateway.client()
    client.put_object(
        Bucket="mlflow", Key="1/model/data.bin", Body=bytes(range(256)), Metadata={"run": "7"}, ContentType="a/b"
    )
    got = client.get_object(Bucket="mlflow", Key="1/model/data.bin")
    assert (got["Body"].read(), got["Metadata"], got["ContentType"]) == (bytes(range(256)), {"run": "7"}, "a/b")
    listed = client.list_objects_v2(Bucket="mlflow", Prefix="1/", Delimiter="/")
    assert [each["Prefix"] for each in listed["CommonPrefixes"]] == ["1/model/"]
    client.delete_object(Bucket="mlflow", Key="1/model/data.bin")
    assert client.list_objects_v2(Bucket="mlflow")["KeyCount"] == 0


def test_a_large_file_goes_up_in_parts(gateway: Gateway) -> None:
    """What DVC pushes: more than one part, the same bytes back."""
    client, content = gateway.client(), bytes(range(256)) * 80_000
    client.upload_fileobj(io.BytesIO(content), "dvc", "large")
    back = io.BytesIO()
    client.download_fileobj("dvc", "large", back)
    assert back.getvalue() == content


@pytest.mark.parametrize(("secret", "code"), [("other", "SignatureDoesNotMatch"), ("", "AccessDenied")])
def test_nobody_comes_in_without_the_key(secret: str, code: str, gateway: Gateway) -> None:
    """A wrong secret and no signature at all: neither reads nor writes."""
    client = gateway.client(secret)
    with pytest.raises(ClientError) as read:
        client.list_objects_v2(Bucket="lake")
    with pytest.raises(ClientError) as written:
        client.put_object(Bucket="lake", Key="x", Body=b"x")
    assert {_code(read), _code(written)} == {code}
    assert SECRET not in gateway.log()


def test_one_of_many_writers_makes_an_object_that_must_not_be_there(gateway: Gateway) -> None:
    """How a Delta table is committed: of those who write version 1 at the same time one wins, and the others know."""

    def commit(number: int) -> str:
        try:
            gateway.client().put_object(Bucket="lake", Key="t/_delta_log/1.json", Body=str(number), IfNoneMatch="*")
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "won"

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(commit, range(8)))
    assert sorted(results) == ["PreconditionFailed"] * 7 + ["won"]
    body = gateway.client().get_object(Bucket="lake", Key="t/_delta_log/1.json")["Body"].read()
    assert int(body) == results.index("won")


def test_what_was_acknowledged_outlives_a_kill(gateway: Gateway) -> None:
    """SIGKILL right after the last answer: every object is there, whole."""
    client = gateway.client()
    for number in range(50):
        client.put_object(Bucket="lake", Key=f"k/{number}", Body=str(number) * 1000)
    gateway.end(signal.SIGKILL)
    gateway.up()
    client = gateway.client()
    assert client.list_objects_v2(Bucket="lake")["KeyCount"] == 50
    assert client.get_object(Bucket="lake", Key="k/49")["Body"].read() == b"49" * 1000
