"""The bodies of requests: how large one may be, and all together, messages of gRPC among them; memory has an end."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from contracts import inference_binary as binary
from runtime import asgi
from runtime.asgi import Receive, Scope
from serving.errors import Crowded, Encoded, TooLarge, Unreadable

_DIGITS = 12  # of a length: more is no length


class Sizes(NamedTuple):
    """Bytes that bodies may have.

    Attributes:
        body: one of them.
        json: the JSON in it; tensors in binary come on top.
        bodies: all that are read and answered at the same time.
    """

    body: int = 16_000_000
    json: int = 4_000_000
    bodies: int = 64_000_000


class Bodies:
    """Reads the bodies of requests over HTTP, and counts them and the messages of gRPC as one.

    Args:
        sizes: that they may have.
    """

    def __init__(self, sizes: Sizes) -> None:
        self._sizes = sizes
        self._room = asgi.Room(sizes.bodies)
        self.give = self._room.give
        """Takes a body back with which somebody has done."""

    async def read(self, scope: Scope, receive: Receive, headers: Mapping[bytes, bytes], *, tensors: bool) -> bytes:
        """The whole body of a request.

        Args:
            scope: of the request.
            receive: gives its messages.
            headers: of the request, by their names in small letters.
            tensors: whether there may be tensors in binary behind its JSON.

        Raises:
            Encoded: it is compressed.
            TooLarge: it has too many bytes.
            Crowded: there is no room for it beside the others.
            Unreadable: the caller left.
        """
        encoding = headers.get(b"content-encoding", b"identity")
        if encoding.lower() != b"identity":
            told = f"Content-Encoding {encoding[:40].decode('latin-1')} is not taken"
            raise Encoded(told, "send the body uncompressed; large tensors go in binary")
        try:
            return await asgi.read(scope, receive, self._most(headers) if tensors else self._sizes.json, self._room)
        except asgi.BodyTooLarge as failure:
            raise TooLarge(failure.what, f"{failure.remedy}; large tensors go in binary") from None
        except asgi.Crowded as failure:
            raise Crowded(failure.what, failure.remedy) from None
        except asgi.BodyCut as failure:
            raise Unreadable(failure.what, failure.remedy) from None

    @contextmanager
    def held(self, message: bytes) -> Iterator[None]:
        """Count a message that has come as a whole, while it is answered.

        Raises:
            Crowded: there is no room for it beside the others.
        """
        try:
            self._room.hold(message)
        except asgi.Crowded as failure:
            raise Crowded(failure.what, failure.remedy) from None
        try:
            yield
        finally:
            self.give(message)

    def _most(self, headers: Mapping[bytes, bytes]) -> int:
        """Bytes of a body: more than of JSON where its JSON says that it is short, and tensors follow."""
        length = headers.get(binary.HEADER)
        if length is None or not length.isdigit() or len(length) > _DIGITS or int(length) > self._sizes.json:
            return self._sizes.json
        return self._sizes.body
