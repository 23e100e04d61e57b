"""What is asked of the controller over HTTP, and what it answers.

GET  /release              the status, as JSON with its text in both languages
POST /release PLAN         begin a release
POST /release/abort        roll back the one under way
POST /release/pause        let it stay at its stage
POST /release/resume       let it go on
GET  /assignment/NAME/SHARE/UNIT   whether a unit gets B in the A/B test of that name
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from releases import plan as plans
from releases.controller import Controller
from releases.errors import ApiFailure, BadPlan, Conflict, NoRegistry, NotNow
from releases.statistics.experiment import assigned
from releases.status import status
from runtime.errors import ServiceError
from runtime.web import Answer

_Share = Annotated[float, Meta(ge=0, le=1)]


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
        """GET /assignment/NAME/SHARE/UNIT."""
        try:
            name, share, unit = segments
            variant = "b" if assigned(unit, name, msgspec.convert(share, _Share, strict=False)) else "a"
        except (ValueError, msgspec.ValidationError):
            words = "ask for /assignment/NAME/SHARE/UNIT, with a share from 0 to 1"
            return HTTPStatus.BAD_REQUEST, {"error": words}
        return HTTPStatus.OK, {"unit": unit, "test": name, "variant": variant}


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
