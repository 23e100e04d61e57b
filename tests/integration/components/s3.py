"""S3 requests, signed (Signature Version 4, as Amazon S3's API reference has it): all that tests need of a client.

boto3 would bring an older python-dateutil into the environment that the tool is tested in.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Generator
from datetime import UTC, datetime
from functools import reduce
from urllib.parse import quote

import httpx

_REGION = "us-east-1"


class Signed(httpx.Auth):
    """Signs each request, its body and its `x-amz-` headers included.

    Args:
        access: the account.
        secret: its key.

    """

    requires_request_body = True

    def __init__(self, access: str, secret: str) -> None:
        self._access = access
        self._secret = secret

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Yield the request with its signature."""
        now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        digest = hashlib.sha256(request.content).hexdigest()
        request.headers.update({"x-amz-date": now, "x-amz-content-sha256": digest})
        names = sorted(name for name in request.headers if name == "host" or name.startswith("x-amz-"))
        canonical = "\n".join(
            [
                request.method, request.url.raw_path.decode().split("?")[0], _query(request.url.params),
                *(f"{name}:{request.headers[name].strip()}" for name in names), "", ";".join(names), digest,
            ]
        )  # fmt: skip
        scope = [now[:8], _REGION, "s3", "aws4_request"]
        text = "\n".join(["AWS4-HMAC-SHA256", now, "/".join(scope), hashlib.sha256(canonical.encode()).hexdigest()])
        key = reduce(_hmac, scope, f"AWS4{self._secret}".encode())
        request.headers["Authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self._access}/{'/'.join(scope)}, SignedHeaders={';'.join(names)}, "
            f"Signature={_hmac(key, text).hex()}"
        )
        yield request


def _query(params: httpx.QueryParams) -> str:
    return "&".join(
        sorted(f"{quote(key, safe='-_.~')}={quote(value, safe='-_.~')}" for key, value in params.multi_items())
    )


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
