"""python -m releases: control releases until asked to end."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path

from releases.controller import Controller
from releases.desk import Desk
from releases.errors import Conflict
from releases.events import Events
from releases.figures import Figures
from releases.kube import Kube
from releases.prometheus import Prometheus
from releases.registry import Registry
from releases.route import Route
from releases.settings import ReleaseSettings
from runtime import logs
from runtime.errors import Temporary
from runtime.process import guarded
from runtime.role import Role

NAME = "lab-04-releases"

log = logging.getLogger(__name__)


def run(env: Mapping[str, str]) -> None:
    """Control until asked to end."""
    with Role(NAME, ReleaseSettings, env) as role:
        role.health.wait_for("route", "the route has not been read yet")
        controller = _controller(role)
        desk = Desk(controller)
        role.serve(questions={"release": desk.told, "assignment": desk.assignment}, orders={"release": desk.ordered})
        while not role.stop:
            role.health.beat("controller")
            if _glanced(controller):
                role.health.met("route")
            role.stop.wait(role.settings.poll_seconds)


def _controller(role: Role[ReleaseSettings]) -> Controller:
    settings = role.settings
    kube = Kube(settings.api, Path(settings.account), settings.namespace)
    return Controller(
        Route(kube, settings.route, settings.variant_header, settings.unit_header),
        Prometheus(settings),
        Registry(settings.registry),
        Events(kube, settings.route),
        figures=Figures(role.registry),
    )


def _glanced(controller: Controller) -> bool:
    """Whether a glance went well; what fails for a while is told and tried again."""
    try:
        controller.glance()
    except Conflict as failure:
        log.info(failure.what, extra={"remedy": failure.remedy})
    except Temporary as failure:
        log.warning(failure.what, extra={"remedy": failure.remedy})
        return False
    return True


def main(env: Mapping[str, str]) -> int:
    """Run; the exit code."""
    logs.start(NAME, env.get("TARMAC_LOG_LEVEL", "info"))
    return guarded(lambda: run(env))


if __name__ == "__main__":
    raise SystemExit(main(os.environ))
