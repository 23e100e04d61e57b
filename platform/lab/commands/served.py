"""The figures of the served models, as `lab status` prints them: the same that the platform's page shows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from lab.settings import Settings
from lab.state.web import Web
from lab.text import Language, Text

PAGE = "page"
"""The component that gathers them, and the name of its host port."""
_OK = 200

_SILENT = Text(en="the page does not answer: {reason}", fr="la page ne répond pas : {reason}")
_AWAY = Text(en="no figures: {reason}", fr="pas de chiffres : {reason}")
_NONE = Text(en="no data: no server of models was seen yet", fr="aucune donnée : aucun serveur de modèles n'a été vu")
_HEAD = Text(
    en="model|track|version|per s|failed|p50|p99|error",
    fr="modèle|piste|version|par s|échecs|p50|p99|erreur",
)
_GATEWAY = Text(
    en="gateway: {track} {rate} per s, {errors} failed, 95 % within {p95}",
    fr="passerelle : {track} {rate} par s, {errors} en échec, 95 % en moins de {p95}",
)
_CALLERS = Text(en="all callers", fr="tous les appelants")
_ROUTE = Text(en="route: {weights}", fr="route : {weights}")
_RELEASE = Text(en="release: {phase}, stage {stage}", fr="livraison : {phase}, étape {stage}")
_ALERTS = Text(en="alerts: {names}", fr="alertes : {names}")
_PHASES = {
    "running": Text(en="running", fr="en cours"),
    "paused": Text(en="paused for want of metrics", fr="en pause faute de métriques"),
    "promoting": Text(en="being promoted", fr="en promotion"),
    "promoted": Text(en="promoted", fr="promue"),
    "finished": Text(en="ended well", fr="bien finie"),
    "rolled back": Text(en="rolled back", fr="annulée"),
}
_COLUMNS = (("rate", 1, ""), ("errors", 2, " %"), ("p50", 1, " ms"), ("p99", 1, " ms"), ("error", 1, " min"))
"""Figure, digits behind the point, unit."""

Told = Mapping[str, Any]


def asked(settings: Settings) -> dict[str, Any]:
    """Return what the page says: its figures, or under `problem` why there are none."""
    answer = Web(settings).answer(f"{PAGE}:/figures")
    body = answer["body"]
    return body if answer["status"] == _OK and isinstance(body, dict) else {"problem": str(body)}


def lines(told: Told, language: Language) -> list[str]:
    """Return the figures as lines."""
    if "problem" in told:
        return [_SILENT.in_(language).format(reason=told["problem"])]
    if not told["prometheus"]["answers"]:
        return [_AWAY.in_(language).format(reason=told["prometheus"]["error"])]
    rows = [_HEAD.in_(language).split("|"), *(_row(each, language) for each in told["versions"])]
    table = _aligned(rows) if told["versions"] else [_NONE.in_(language)]
    return [*table, *_more(told, language)]


def _more(told: Told, language: Language) -> list[str]:
    """Return what there is to say of the gateway, the route, its release and alerts."""
    found = [_passed(each, language) for each in told["gateway"]]
    if told["weights"]:
        weights = ", ".join(f"{name} {share:.0f} %" for name, share in sorted(told["weights"].items()))
        found.append(_ROUTE.in_(language).format(weights=weights))
    if told["release"]:
        phase = _PHASES.get(told["release"]["phase"], Text.plain(told["release"]["phase"])).in_(language)
        found.append(_RELEASE.in_(language).format(phase=phase, stage=told["release"]["stage"]))
    if told["alerts"]:
        names = ", ".join(sorted({each.get("alertname", "?") for each in told["alerts"]}))
        found.append(_ALERTS.in_(language).format(names=names))
    return found


def _row(version: Told, language: Language) -> list[str]:
    names = [version["model"], version["track"] or "-", version["version"]]
    return names + [_number(version[key], digits, unit, language) for key, digits, unit in _COLUMNS]


def _passed(track: Told, language: Language) -> str:
    return _GATEWAY.in_(language).format(
        track=track["track"] or _CALLERS.in_(language),
        rate=_number(track["rate"], 1, "", language),
        errors=_number(track["errors"], 2, " %", language),
        p95=_number(track["p95"], 1, " ms", language),
    )


def _number(value: float | None, digits: int, unit: str, language: Language) -> str:
    if value is None or not math.isfinite(value):
        return "-"
    text = f"{value:.{digits}f}"
    return (text.replace(".", ",") if language == "fr" else text) + unit


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
