"""One run of a lab's experiments: asked for over HTTP, followed to its end, read back.

A lab's service offers them at its host port: `POST /experiments` starts a run, `GET /experiments` tells how far it is,
`GET /experiments/NAME` gives the last result of one.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import httpx

from lab.errors import Busy, NotConverged
from lab.progress import Say
from lab.settings import Settings
from lab.text import Text

Result = dict[str, Any]
"""What one experiment measured: `name`, `settings`, `figures` and fields of its own."""

_SECONDS = 300  # of one experiment
_STEP = 0.3


def measure(settings: Settings, code: str, names: Sequence[str], say: Say) -> list[Result]:
    """Run the named experiments and return their results, in the order in which they ran.

    Args:
        settings: whose host port leads to the lab's service.
        code: the lab's number.
        names: experiments.
        say: told each experiment as it begins.

    Raises:
        Busy: a run is under way already.
        NotConverged: the lab does not answer, does not end in time, or an experiment failed; names it and its reason.

    """
    address = f"http://127.0.0.1:{settings.port(f'lab-{code}')}"
    # The machine's proxy is for the outside; this address is on this machine.
    with httpx.Client(base_url=address, timeout=20, trust_env=False) as web:
        try:
            run = _begin(web, names)
            _follow(web, code, run, say)
            results = [web.get(f"/experiments/{name}").raise_for_status().json() for name in names]
        except httpx.HTTPError as error:
            raise _silent(address, f"{type(error).__name__}: {error}") from error
    for result in results:
        if result.get("error"):
            raise _failed(code, result)
    return results


def _begin(web: httpx.Client, names: Sequence[str]) -> int:
    answer = web.post("/experiments", json={"only": list(names)})
    if answer.status_code == httpx.codes.CONFLICT:
        raise Busy(
            Text(en="the lab is measuring already", fr="le lab est déjà en train de mesurer"),
            Text(
                en="wait for it to end (a minute or two), then run again",
                fr="attendez la fin (une ou deux minutes), puis relancez",
            ),
        )
    return int(answer.raise_for_status().json()["run"])


def _follow(web: httpx.Client, code: str, run: int, say: Say) -> None:
    deadline, told = time.monotonic() + _SECONDS, ""
    while True:
        state = web.get("/experiments").raise_for_status().json()
        if state["run"] != run or not state["running"]:
            return
        current = state.get("current") or ""
        if current not in ("", told):
            told, deadline = current, time.monotonic() + _SECONDS
            say(Text(en=f"measuring {current}", fr=f"mesure de {current}"))
        if time.monotonic() > deadline:
            raise NotConverged(
                Text(
                    en=f"experiment {current} does not end within {_SECONDS} s",
                    fr=f"l'expérience {current} ne finit pas en {_SECONDS} s",
                ),
                _look(code),
            )
        time.sleep(_STEP)


def _look(code: str) -> Text:
    return Text(
        en=f"read `lab kubectl logs -n lab-{code} svc/lab`, then run again",
        fr=f"lisez `lab kubectl logs -n lab-{code} svc/lab`, puis relancez",
    )


def _silent(address: str, reason: str) -> NotConverged:
    return NotConverged(
        Text(
            en=f"the lab's service at {address} does not answer as it should: {reason}",
            fr=f"le service du lab à {address} ne répond pas comme il devrait : {reason}",
        ),
        Text(
            en="`lab status` shows what stands; `lab up` brings the lab back",
            fr="`lab status` montre ce qui est debout ; `lab up` ramène le lab",
        ),
    )


def _failed(code: str, result: Result) -> NotConverged:
    return NotConverged(
        Text(
            en=f"experiment {result['name']} failed: {result['error']}",
            fr=f"l'expérience {result['name']} a échoué : {result['error']}",
        ),
        _look(code),
    )
