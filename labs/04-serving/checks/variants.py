"""Exercise `quantised-model`: the variant that keeps the budgets of bytes, accuracy and time, by measured figures."""

from __future__ import annotations

from lab.checks import Bundle, Finding, Findings, Text, View, check, need, shown

from .work import WORK

_EXERCISE = "quantised-model"
_ORIGINAL = "delay-network"
_PACKED, _WORSE, _MILLISECONDS = 0.6, 0.01, 1.0
"""Share of the original's packed bytes, share by which the error may be larger, and milliseconds of a row."""
_ROWS = 1_000


@check
def quantised_model(bundle: Bundle) -> Findings:
    """Find whether the chosen variant keeps the three budgets, and the server has it."""
    variant = WORK.settings(bundle, _EXERCISE)["variant"]
    yield _made(variant)
    yield WORK.measured(bundle, _EXERCISE)
    run = WORK.result(bundle, _EXERCISE)
    chosen, original = (run.at(f"variants[{name}]") for name in (run.text("settings.variant"), _ORIGINAL))
    yield _small(chosen, original)
    yield _accurate(chosen, original)
    yield _quick(chosen)
    yield _served(run)
    yield _enough(run)


def _made(variant: View) -> Finding:
    return need(
        "made",
        variant.text() != _ORIGINAL,
        f"{variant.where}={variant.text()}",
        Text(
            en=f"{variant.where} is {variant.text()}: that is the original, and the link to the gates is slow",
            fr=f"{variant.where} vaut {variant.text()} : c'est l'original, et la liaison vers les portes est lente",
        ),
        WORK.edit(
            _EXERCISE,
            en="choose one of the variants that were made of it",
            fr="choisissez l'une des variantes qui en ont été faites",
        ),
    )


def _small(chosen: View, original: View) -> Finding:
    packed, before = chosen.number("bytes_packed"), original.number("bytes_packed")
    return need(
        "small",
        packed <= _PACKED * before,
        f"bytes_packed={shown(packed)} original={shown(before)}",
        Text(
            en=f"packed, the variant has {shown(packed)} bytes and the original {shown(before)}; "
            f"{100 * _PACKED:g} % are allowed",
            fr=f"compressée, la variante fait {shown(packed)} octets et l'original {shown(before)} ; "
            f"{100 * _PACKED:g} % sont permis",
        ),
        WORK.edit(
            _EXERCISE,
            en="compare `bytes_packed` under `variants` in the JSON output",
            fr="comparez `bytes_packed` sous `variants` dans la sortie JSON",
        ),
    )


def _accurate(chosen: View, original: View) -> Finding:
    error, before = chosen.number("rmse"), original.number("rmse")
    return need(
        "accurate",
        error <= (1 + _WORSE) * before,
        f"rmse={shown(error)} original={shown(before)}",
        Text(
            en=f"the variant's error is {shown(error)} minutes and the original's {shown(before)}; "
            f"{100 * _WORSE:g} % more are allowed",
            fr=f"l'erreur de la variante est de {shown(error)} minutes et celle de l'original de {shown(before)} ; "
            f"{100 * _WORSE:g} % de plus sont permis",
        ),
        WORK.edit(
            _EXERCISE,
            en="compare `rmse` under `variants` in the JSON output",
            fr="comparez `rmse` sous `variants` dans la sortie JSON",
        ),
    )


def _quick(chosen: View) -> Finding:
    one, many = chosen.number("milliseconds"), chosen.number("milliseconds_many")
    return need(
        "quick",
        one <= _MILLISECONDS,
        f"milliseconds={shown(one)} <= {_MILLISECONDS:g} milliseconds_many={shown(many)}",
        Text(
            en=f"one row takes {shown(one)} ms; {_MILLISECONDS:g} ms is allowed",
            fr=f"une ligne prend {shown(one)} ms ; {_MILLISECONDS:g} ms est permise",
        ),
        WORK.measure(_EXERCISE),
    )


def _served(run: View) -> Finding:
    same, version = run.flag("served.same"), run.text("served.version")
    return need(
        "served",
        same,
        f"served.same={str(same).lower()} version={version}",
        Text(
            en="the server predicts something else for these flights than the variant does: it has another model",
            fr="le serveur prédit autre chose que la variante pour ces vols : il a un autre modèle",
        ),
        WORK.measure(_EXERCISE),
    )


def _enough(run: View) -> Finding:
    rows, error, mean = run.number("rows"), run.number(f"variants[{_ORIGINAL}].rmse"), run.number("baseline_rmse")
    return need(
        "enough",
        rows >= _ROWS and error < mean,
        f"rows={shown(rows)} rmse={shown(error)} baseline_rmse={shown(mean)}",
        Text(
            en=f"judged by {shown(rows)} flights, the original's error is {shown(error)} minutes and that of the mean "
            f"{shown(mean)}: variants of such a network cannot be told apart",
            fr=f"jugée sur {shown(rows)} vols, l'erreur de l'original est de {shown(error)} minutes et celle de la "
            f"moyenne de {shown(mean)} : on ne peut départager les variantes d'un tel réseau",
        ),
        WORK.measure(_EXERCISE),
    )
