"""Exercise `choose-runtime`: a runtime for each place, by what the trainee's own server costs beside the edge."""

from __future__ import annotations

from lab.checks import Bundle, Finding, Findings, Text, View, check, need, shown

from .work import WORK

_EXERCISE = "choose-runtime"
_NAMESPACE = "lab-04"
_RUNTIMES = "server, edge, tflite, triton"
_MEBIBYTE = 2**20
_ROOM = 128
"""MiB of memory that the computer at the gate has for predictions."""
_SAME = 1e-6
"""Minutes by which two predictions of one model may differ."""


@check
def choose_runtime(bundle: Bundle) -> Findings:
    """Find whether each place has a runtime that fits it, by the figures measured here."""
    chosen = bundle.object("ConfigMap", "decision", _NAMESPACE)
    run = WORK.result(bundle, _EXERCISE)
    yield _lighter(run)
    yield _same(run)
    yield _platform(chosen.at("data.platform"), run)
    yield _gate(chosen.at("data.gate-terminal"), run)
    yield _phone(chosen.at("data.phone-app"))
    yield _gpu(chosen.at("data.gpu-fleet"))


def _lighter(run: View) -> Finding:
    server, edge = (run.number(f"{name}.resident_bytes") / _MEBIBYTE for name in ("server", "edge"))
    return need(
        "lighter",
        0 < edge < server,
        f"server_mib={shown(server)} edge_mib={shown(edge)}",
        Text(
            en=f"the edge program holds {shown(edge)} MiB and the server {shown(server)}: these figures cannot be "
            "chosen by",
            fr=f"le programme de périphérie occupe {shown(edge)} Mio et le serveur {shown(server)} : on ne peut rien "
            "choisir d'après ces chiffres",
        ),
        WORK.measure(_EXERCISE),
    )


def _same(run: View) -> Finding:
    difference = run.number("difference")
    return need(
        "same",
        difference <= _SAME,
        f"difference={shown(difference)}",
        Text(
            en=f"server and edge program differ by {shown(difference)} minutes for the same row: they do not run the "
            "same file, and what they cost cannot be compared",
            fr=f"le serveur et le programme de périphérie diffèrent de {shown(difference)} minutes pour la même "
            "ligne : ils n'exécutent pas le même fichier, et leurs coûts ne se comparent pas",
        ),
        WORK.measure(_EXERCISE),
    )


def _platform(chosen: View, run: View) -> Finding:
    seen = _seen(run, "server")
    return need(
        "platform",
        chosen.value == "server",
        f"{chosen.where}={chosen.value} {seen}",
        Text(
            en=f"{chosen.where} is {chosen.value}: many ONNX models, versions that change while requests come, "
            f"batching, metrics and traces, on CPUs. Measured of the server that does that: {seen}",
            fr=f"{chosen.where} vaut {chosen.value} : beaucoup de modèles ONNX, des versions qui changent pendant que "
            "viennent les requêtes, regroupement, métriques et traces, sur CPU. Mesuré sur le serveur qui le fait : "
            f"{seen}",
        ),
        WORK.decide(
            _EXERCISE,
            en=f"take for platform, of {_RUNTIMES}, the one that this lab has been about",
            fr=f"prenez pour platform, parmi {_RUNTIMES}, celui dont ce lab a traité",
        ),
    )


def _gate(chosen: View, run: View) -> Finding:
    seen = f"edge: {_seen(run, 'edge')} server: {_seen(run, 'server')}"
    fits = run.number("edge.resident_bytes") <= _ROOM * _MEBIBYTE
    return need(
        "gate-terminal",
        chosen.value == "edge" and fits,
        f"{chosen.where}={chosen.value} {seen}",
        Text(
            en=f"{chosen.where} is {chosen.value}: a small computer at the gate runs the same ONNX file without a "
            f"network, with {_ROOM} MiB for it, and nobody there administers a server. Measured: {seen}",
            fr=f"{chosen.where} vaut {chosen.value} : un petit ordinateur à la porte exécute le même fichier ONNX sans "
            f"réseau, avec {_ROOM} Mio pour cela, et personne n'y administre de serveur. Mesuré : {seen}",
        ),
        WORK.decide(
            _EXERCISE,
            en=f"take for gate-terminal, of {_RUNTIMES}, the one that is the runtime and next to nothing else",
            fr=f"prenez pour gate-terminal, parmi {_RUNTIMES}, celui qui est le moteur et presque rien d'autre",
        ),
    )


def _phone(chosen: View) -> Finding:
    return need(
        "phone-app",
        chosen.value == "tflite",
        f"{chosen.where}={chosen.value}",
        Text(
            en=f"{chosen.where} is {chosen.value}: the app's team trains in TensorFlow, ships one file of a few MB "
            "with the app, and wants the phone's own accelerators",
            fr=f"{chosen.where} vaut {chosen.value} : l'équipe de l'application entraîne avec TensorFlow, livre un "
            "fichier de quelques Mo avec l'application, et veut les accélérateurs du téléphone",
        ),
        WORK.decide(
            _EXERCISE,
            en=f"take for phone-app, of {_RUNTIMES}, the one that is made for TensorFlow's models on phones",
            fr=f"prenez pour phone-app, parmi {_RUNTIMES}, celui qui est fait pour les modèles TensorFlow sur "
            "téléphone",
        ),
    )


def _gpu(chosen: View) -> Finding:
    return need(
        "gpu-fleet",
        chosen.value == "triton",
        f"{chosen.where}={chosen.value}",
        Text(
            en=f"{chosen.where} is {chosen.value}: models in PyTorch, TensorRT and ONNX share a few GPUs, which have "
            "to be kept busy by several instances of each",
            fr=f"{chosen.where} vaut {chosen.value} : des modèles PyTorch, TensorRT et ONNX se partagent quelques GPU, "
            "qu'il faut occuper avec plusieurs instances de chacun",
        ),
        WORK.decide(
            _EXERCISE,
            en=f"take for gpu-fleet, of {_RUNTIMES}, the one with many back ends and schedulers for GPUs",
            fr=f"prenez pour gpu-fleet, parmi {_RUNTIMES}, celui qui a plusieurs moteurs et des ordonnanceurs pour GPU",
        ),
    )


def _seen(run: View, name: str) -> str:
    start, memory, installed = (
        run.number(f"{name}.{each}") for each in ("start_seconds", "resident_bytes", "installed_bytes")
    )
    return (
        f"start_seconds={shown(start)} resident_mib={shown(memory / _MEBIBYTE)} "
        f"installed_mib={shown(installed / _MEBIBYTE)}"
    )
