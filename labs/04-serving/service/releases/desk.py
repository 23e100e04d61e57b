"""What is asked of the controller over HTTP, and what it answers.

GET  /release              the status, as JSON with its text in both languages
POST /release PLAN         begin a release
POST /release/abort        roll back the one under way
POST /release/pause        let it stay at its stage
POST /release/resume       let it go on
GET  /assignment/WHO       whether somebody gets B in the A/B test that runs
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from contracts.units import unit
from releases import plan as plans
from releases.controller import Controller
from releases.errors import ApiFailure, BadPlan, Conflict, NoRegistry, NotNow
from releases.plan import AB
from releases.rules import A, B
from releases.statistics.experiment import assigned
from releases.status import status
from runtime.errors import ServiceError
from runtime.web import Answer


class Desk:
    """Questions and orders.

    Args:
        controller: what carries them out.
    """

    def __init__(self, controller: Controller) -> None:
        self._controller = controller

    def told(self, _: tuple[str, ...]) -> Answer:
        """GET /release."""
        return _answered(lambda: (HTTPStatus.OK, status(self._controller.state())))

    def ordered(self, segments: tuple[str, ...], body: Any) -> Answer:  # noqa: ANN401  any JSON
        """POST /release, and POST /release/abort, /pause and /resume."""
        orders = {
            (): lambda: self._controller.start(plans.read(body)),
            ("abort",): self._controller.abort,
            ("pause",): self._controller.halt,
            ("resume",): self._controller.resume,
        }
        order = orders.get(segments)
        if order is None:
            paths = ["/".join(("release", *path)) for path in orders]
            return HTTPStatus.NOT_FOUND, {"error": f"no order {'/'.join(segments)}", "paths": paths}
        return _answered(lambda: (HTTPStatus.ACCEPTED, status(order())))

    def assignment(self, segments: tuple[str, ...]) -> Answer:
        """GET /assignment/WHO; the variant is null where no test runs."""
        match segments:
            case (who,) if who:
                return _answered(lambda: (HTTPStatus.OK, self._side(who)))
        return HTTPStatus.NOT_FOUND, {"error": "nobody is named", "paths": ["assignment/WHO"]}

    def _side(self, who: str) -> dict[str, Any]:
        state = self._controller.state()
        told: dict[str, Any] = {"who": who, "unit": unit(who), "test": None, "variant": None}
        if state is None or not state.test or not isinstance(state.plan, AB):
            return told
        return {**told, "test": state.test, "variant": B if assigned(who, state.test, state.plan.share) else A}


def _answered(answer: Callable[[], Answer]) -> Answer:
    try:
        return answer()
    except NotNow as failure:
        french = {"error": failure.words.fr, "remedy": failure.advice.fr}
        return HTTPStatus.CONFLICT, {**_told(failure), "fr": french}
    except BadPlan as failure:
        return HTTPStatus.BAD_REQUEST, _told(failure)
    except Conflict as failure:
        return HTTPStatus.CONFLICT, _told(failure)
    except (ApiFailure, NoRegistry) as failure:
        return HTTPStatus.SERVICE_UNAVAILABLE, _told(failure)


def _told(failure: ServiceError) -> dict[str, str]:
    return {"kind": type(failure).__name__, "error": failure.what, "remedy": failure.remedy}
