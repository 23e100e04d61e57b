"""A worker is alive while it beats; a service is ready once every condition holds."""

from runtime.health import Health


def test_a_worker_that_stands_still_is_named() -> None:
    """Once a beat is overdue the process is not alive, and the worker's name is told; the next beat mends it."""
    now = [0.0]
    health = Health(clock=lambda: now[0])
    health.beat("consumer", within=10)
    now[0] = 9
    assert health.alive() == (True, "alive")
    now[0] = 11
    assert health.alive() == (False, "consumer: no progress for 10 s")
    health.beat("consumer", within=10)
    assert health.alive()[0]


def test_ready_tells_every_open_condition() -> None:
    """Readiness says what is waited for and why."""
    health = Health()
    health.wait_for("kafka", "no connection")
    health.wait_for("place", "not found")
    health.met("kafka")
    assert health.ready() == (False, "place: not found")
    health.met("place")
    assert health.ready() == (True, "ready")
