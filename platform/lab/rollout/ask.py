"""Questions and orders to the release controller, over HTTP at its host port."""

from __future__ import annotations

from typing import Any

import httpx

from lab.errors import BadInput, LabError, NotConverged
from lab.rollout.reasons import REASONS, UNKNOWN
from lab.settings import Settings
from lab.text import Text

Told = dict[str, Any]
"""The controller's status: `phase`, `strategy`, `stage`, `weight` and more, with `text` in both languages."""

PORT = "lab-04-releases"
"""The controller's host port, by its name."""
_SECONDS = 20.0
_ANSWERED = (httpx.codes.OK, httpx.codes.ACCEPTED)
_REFUSED = (httpx.codes.BAD_REQUEST, httpx.codes.CONFLICT)


def ask(settings: Settings) -> Told:
    """Return the release as it is.

    Raises:
        NotConverged: the controller does not answer, or cannot see the route.

    """
    return _told(settings, "GET", "/release", None)


def order(settings: Settings, act: str, plan: Told | None = None) -> Told:
    """Return the release after an order.

    Args:
        settings: whose controller.
        act: `start`, `abort`, `pause` or `resume`.
        plan: what is to be started.

    Raises:
        BadInput: the plan cannot be carried out, or the order does not fit what is under way; says why.
        NotConverged: the controller does not answer, or what it needs is away.

    """
    return _told(settings, "POST", "/release" if act == "start" else f"/release/{act}", plan)


def _told(settings: Settings, method: str, path: str, body: Told | None) -> Told:
    address = f"http://127.0.0.1:{settings.port(PORT)}"
    try:
        # The machine's proxy is for the outside; this address is on this machine.
        with httpx.Client(base_url=address, timeout=_SECONDS, trust_env=False) as web:
            answer = web.request(method, path, json=body)
            told = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise _silent(address, f"{type(error).__name__}: {error}") from error
    if not isinstance(told, dict):
        raise _silent(address, f"{answer.status_code} {told}")
    if answer.status_code not in _ANSWERED:
        raise _refused(answer.status_code, told)
    return told


def _refused(status: int, told: Told) -> LabError:
    reason = REASONS.get(str(told.get("kind")), UNKNOWN)
    error, remedy = str(told.get("error", status)), str(told.get("remedy", ""))
    french = told.get("fr")
    if isinstance(french, dict):  # what it says to trainees, it says in both languages itself
        what, advice = Text(en=error, fr=str(french.get("error"))), Text(en=remedy, fr=str(french.get("remedy")))
    else:
        what, advice = reason.told(error), Text(en=remedy or reason.remedy.en, fr=reason.remedy.fr)
    return BadInput(what, advice) if status in _REFUSED else NotConverged(what, advice)


def _silent(address: str, reason: str) -> NotConverged:
    return NotConverged(
        Text(
            en=f"the release controller at {address} does not answer as it should: {reason}",
            fr=f"le contrôleur de livraisons à {address} ne répond pas comme il devrait : {reason}",
        ),
        Text(
            en="`lab status` shows whether Deployment/releases stands; `lab up 04` brings it back",
            fr="`lab status` montre si Deployment/releases est debout ; `lab up 04` le ramène",
        ),
    )
