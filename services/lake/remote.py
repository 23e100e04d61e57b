"""What lies in DVC's remote, seen from outside: a folder, or a place in an object store, as its bill has it."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from lake.errors import StoreAway
from runtime.store import Store


def sizes(remote: Store) -> dict[str, int]:
    """Every file in a remote, with its bytes.

    Raises:
        StoreAway: the object store does not answer, or refuses.
    """
    if not remote.root.startswith("s3://"):
        top = Path(remote.root)
        return {str(file.relative_to(top)): file.stat().st_size for file in top.rglob("*") if file.is_file()}
    with _client(remote) as client:
        return dict(_listed(client, *_place(remote)))


def clear(remote: Store) -> None:
    """Take everything out of a remote.

    Raises:
        StoreAway: the object store does not answer, or refuses.
    """
    if not remote.root.startswith("s3://"):
        shutil.rmtree(remote.root, ignore_errors=True)
        return
    bucket, prefix = _place(remote)
    with _client(remote) as client:
        for name, _ in list(_listed(client, bucket, prefix)):
            client.delete_object(Bucket=bucket, Key=name)


def _place(remote: Store) -> tuple[str, str]:
    bucket, _, prefix = remote.root.removeprefix("s3://").partition("/")
    return bucket, f"{prefix.rstrip('/')}/" if prefix else ""


def _listed(client: Any, bucket: str, prefix: str) -> Iterator[tuple[str, int]]:  # noqa: ANN401  botocore's
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for each in page.get("Contents", ()):
            yield each["Key"], each["Size"]


@contextlib.contextmanager
def _client(remote: Store) -> Iterator[Any]:
    """A client that notices within seconds that a store is away, as the lake's own does."""
    config = Config(connect_timeout=3, read_timeout=30, retries={"max_attempts": 3}, s3={"addressing_style": "path"})
    client = botocore.session.get_session().create_client(
        "s3", endpoint_url=remote.endpoint, region_name=remote.region, aws_access_key_id=remote.access_key,
        aws_secret_access_key=remote.secret_key, config=config,
    )  # fmt: skip
    try:
        with contextlib.closing(client):
            yield client
    except (BotoCoreError, ClientError) as failure:
        raise StoreAway(
            f"DVC's remote {remote.root} at {remote.endpoint}: {failure}",
            "check the object store, its address and its keys",
        ) from None
