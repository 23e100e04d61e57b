"""Where the online store is: one way to write it, for every service."""

import pytest

from runtime.errors import BadSetting
from runtime.online import Address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("redis.data.svc:6379", ("redis.data.svc", 6379, 0)),
        ("127.0.0.1:6380/2", ("127.0.0.1", 6380, 2)),
        ("::1:6379", ("::1", 6379, 0)),
    ],
)
def test_an_address_is_host_port_and_perhaps_a_database(text: str, address: tuple[str, int, int]) -> None:
    """The database is 0 where none is named."""
    assert Address.of(text) == address


@pytest.mark.parametrize("text", ["", "redis", "redis:", ":6379", "redis:port", "redis:6379/", "redis:6379/x"])
def test_anything_else_is_refused_by_name(text: str) -> None:
    """Variable, value and remedy."""
    with pytest.raises(BadSetting, match=f"TARMAC_REDIS={text!r}.*host:port"):
        Address.of(text)
