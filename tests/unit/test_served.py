"""The served models in `lab status`: the page's own figures, in both languages, and why there are none."""

from __future__ import annotations

import dataclasses

from lab.commands import served
from lab.settings import PORTS, Settings
from page.desk import Desk
from runtime.health import Health
from runtime.metrics import registry
from runtime.web import Web
from unit.page.sources import prometheus, standing
from unit.patterns.servers import nobody


def _settings(port: int) -> Settings:
    """Settings with the offset that makes `port` the page's."""
    return dataclasses.replace(Settings.load({}), port_offset=port - PORTS[served.PAGE])


def _asked(answer: object = None) -> dict[str, object]:
    """What a real page says whose Prometheus is this one."""
    with standing(answer) as settings:
        web = Web(0, Health(), registry(), questions=Desk(settings).questions(), host="127.0.0.1").start()
        try:
            return served.asked(_settings(web.port))
        finally:
            web.close()


def test_the_pages_figures_are_printed_in_short() -> None:
    """One line for each version, then the route, the release and what fires; figures as the language writes them."""
    told = _asked()
    english, french = served.lines(told, "en"), served.lines(told, "fr")
    assert len(english) == len(french) == 9
    assert english[2].split() == [
        "delay-boosting", "stable", "3", "18.2", "0.00", "%", "1.1", "ms", "12.5", "ms", "11.3", "min",
    ]  # fmt: skip
    assert "12,50 %" in french[1]
    assert english[1].split()[-1] == "-"
    assert english[3:] == [
        "gateway: canary 2.1 per s, 13.00 % failed, 95 % within -",
        "gateway: stable 18.5 per s, 0.00 % failed, 95 % within 6.2 ms",
        "gateway: all callers 21.7 per s, 6.00 % failed, 95 % within 9.5 ms",
        "route: serving-canary 10 %, serving-stable 90 %", "release: running, stage 1", "alerts: ServingErrors",
    ]  # fmt: skip
    assert french[5] == "passerelle : tous les appelants 21,7 par s, 6,00 % en échec, 95 % en moins de 9,5 ms"
    assert french[7] == "livraison : en cours, étape 1"


def test_without_figures_it_says_why() -> None:
    """No data yet, Prometheus away, the page itself away: each in one line of the user's language."""
    assert served.lines(_asked(prometheus({})), "fr") == ["aucune donnée : aucun serveur de modèles n'a été vu"]
    (away,) = served.lines(_asked(lambda *_: (503, "starting")), "fr")
    assert away.startswith("pas de chiffres : Prometheus: ")
    with nobody() as address:
        (silent,) = served.lines(served.asked(_settings(int(address.rsplit(":", 1)[1]))), "en")
    assert silent.startswith("the page does not answer: ConnectError")
