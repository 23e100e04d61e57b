"""Exercise `connection-reuse`: what a request costs besides the prediction, on the way and in the body."""

from __future__ import annotations

from lab.checks import Bundle, Finding, Findings, Text, View, check, need, shown

from .work import WORK

_EXERCISE = "connection-reuse"
_CONNECTIONS, _TENSORS = "kept", "binary"
_FEWEST = 100
_SHARE = 0.05
"""Connections for each request that a caller may open who keeps them."""
_NUMBERS, _LARGEST = 131_072, 1.5
"""Bytes of the numbers of a large request, and how many times that it may have."""


@check
def connection_reuse(bundle: Bundle) -> Findings:
    """Find whether connections are kept and large inputs sent as bytes, and what both saved."""
    now = WORK.settings(bundle, _EXERCISE)
    yield _connections(now["connections"])
    yield _tensors(now["tensors"])
    yield WORK.measured(bundle, _EXERCISE)
    run = WORK.result(bundle, _EXERCISE)
    yield _opened(run)
    yield _quicker(run)
    yield _smaller(run)
    yield _same(run)


def _connections(chosen: View) -> Finding:
    return need(
        "connections",
        chosen.text() == _CONNECTIONS,
        f"{chosen.where}={chosen.text()}",
        Text(
            en=f"{chosen.where} is {chosen.text()}: every request pays for a connection of its own before it asks",
            fr=f"{chosen.where} vaut {chosen.text()} : chaque requête paie sa propre connexion avant de demander",
        ),
        WORK.edit(_EXERCISE, en="let the caller keep its connection", fr="laissez l'appelant garder sa connexion"),
    )


def _tensors(chosen: View) -> Finding:
    return need(
        "tensors",
        chosen.text() == _TENSORS,
        f"{chosen.where}={chosen.text()}",
        Text(
            en=f"{chosen.where} is {chosen.text()}: 32,768 numbers are written as digits and read back one by one",
            fr=f"{chosen.where} vaut {chosen.text()} : 32 768 nombres sont écrits en chiffres et relus un à un",
        ),
        WORK.edit(
            _EXERCISE,
            en="send large inputs in the form that needs no reading",
            fr="envoyez les grandes entrées sous la forme qui ne demande pas de lecture",
        ),
    )


def _opened(run: View) -> Finding:
    chosen = run.text("settings.connections")
    opened, asked = (run.number(f"connections.{chosen}.{name}") for name in ("opened", "requests"))
    return need(
        "opened",
        opened <= _SHARE * asked and asked >= _FEWEST,
        f"{chosen}: opened={shown(opened)} requests={shown(asked)}",
        Text(
            en=f"{shown(opened)} connections for {shown(asked)} requests: somebody closes them on the way",
            fr=f"{shown(opened)} connexions pour {shown(asked)} requêtes : quelqu'un les ferme en chemin",
        ),
        WORK.edit(
            _EXERCISE,
            en="keep the connection; if it is kept, see who closes it",
            fr="gardez la connexion ; si elle l'est, voyez qui la ferme",
        ),
    )


def _quicker(run: View) -> Finding:
    kept, each = run.number(f"connections.{_CONNECTIONS}.seconds_p50"), run.number("connections.each.seconds_p50")
    binary, text = run.number(f"tensors.{_TENSORS}.seconds_p50"), run.number("tensors.json.seconds_p50")
    seen = f"kept={shown(kept)} each={shown(each)} binary={shown(binary)} json={shown(text)}"
    return need(
        "quicker",
        kept < each and binary < text,
        seen,
        Text(
            en=f"the figures of this run show no gain ({seen}, seconds): something else took the time",
            fr=f"les chiffres de cette expérience ne montrent aucun gain ({seen}, secondes) : autre chose a pris le "
            "temps",
        ),
        Text(
            en=f"let the machine rest (`lab status` shows what runs), then `lab compare 04 --only {_EXERCISE}`",
            fr="laissez la machine se reposer (`lab status` montre ce qui tourne), puis "
            f"`lab compare 04 --only {_EXERCISE}`",
        ),
    )


def _smaller(run: View) -> Finding:
    chosen = run.text("settings.tensors")
    size, text = run.number(f"tensors.{chosen}.bytes"), run.number("tensors.json.bytes")
    return need(
        "smaller",
        size <= _LARGEST * _NUMBERS,
        f"{chosen}.bytes={shown(size)} json.bytes={shown(text)} numbers={_NUMBERS}",
        Text(
            en=f"a request has {shown(size)} bytes with {chosen}, of which {_NUMBERS} would do for the numbers",
            fr=f"une requête fait {shown(size)} octets avec {chosen}, alors que {_NUMBERS} suffiraient aux nombres",
        ),
        WORK.edit(_EXERCISE, en="send the numbers as they are", fr="envoyez les nombres tels quels"),
    )


def _same(run: View) -> Finding:
    same = run.flag("same")
    return need(
        "same",
        same,
        f"same={str(same).lower()}",
        Text(
            en="the same numbers were predicted differently as JSON and as bytes: one of the two did not arrive as "
            "sent",
            fr="les mêmes nombres ont donné des prédictions différentes en JSON et en octets : l'un des deux n'est pas "
            "arrivé tel quel",
        ),
        WORK.measure(_EXERCISE),
    )
