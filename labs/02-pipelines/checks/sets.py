"""Exercise `data-versions`: a version of a training set is had again, by its maker, by others, and from the tables."""

from __future__ import annotations

from lab.checks import Bundle, Finding, Findings, Text, View, check, need, shown

from .work import WORK

_EXERCISE = "data-versions"
_PUSH, _REBUILD = "always", "manifest"
_FLIGHTS = "silver/flights"


@check
def data_versions(bundle: Bundle) -> Findings:
    """Find whether contents are sent and rebuilds pinned, and whether that gave the first version's bytes each time."""
    settings = WORK.settings(bundle, _EXERCISE)
    yield _sent(settings["dvc_push"])
    yield _pinned(settings["rebuild"])
    yield WORK.measured(bundle, _EXERCISE)
    run = WORK.result(bundle, _EXERCISE)
    yield _moved(run)
    yield _back(run)
    yield _pulled(run)
    yield _tied(run)
    yield _rebuilt(run)


def _sent(push: View) -> Finding:
    return need(
        "sent",
        push.text() == _PUSH,
        f"{push.where}={push.text()}",
        Text(
            en=f"{push.where} is {push.text()}: git has the pointer, and the bytes it points to lie on one disk only",
            fr=f"{push.where} vaut {push.text()} : git a le pointeur, et les octets qu'il désigne ne sont que sur un "
            "disque",
        ),
        WORK.edit(
            _EXERCISE,
            en="send the content of each version to DVC's remote when it is kept",
            fr="envoyez le contenu de chaque version vers le dépôt distant de DVC quand elle est gardée",
        ),
    )


def _pinned(rebuild: View) -> Finding:
    return need(
        "pinned",
        rebuild.text() == _REBUILD,
        f"{rebuild.where}={rebuild.text()}",
        Text(
            en=f"{rebuild.where} is {rebuild.text()}: a set that is made again reads tables that have gone on since",
            fr=f"{rebuild.where} vaut {rebuild.text()} : un jeu refait lit des tables qui ont changé depuis",
        ),
        WORK.edit(
            _EXERCISE,
            en="make the set again from the versions of the tables that its manifest names",
            fr="refaites le jeu depuis les versions des tables que nomme son manifeste",
        ),
    )


def _moved(run: View) -> Finding:
    modified = [each.text() for each in run.items("diff.modified")]
    first, second = run.text("content.first"), run.text("content.second")
    then, now = run.number("delta.rows_then"), run.number("delta.rows_now")
    return need(
        "moved",
        bool(modified) and first != second and now > then,
        f"modified={','.join(modified) or 'none'} first={first} second={second} "
        f"rows_then={shown(then)} rows_now={shown(now)}",
        Text(
            en=f"DVC names {len(modified)} modified files and the table went from {shown(then)} to {shown(now)} rows: "
            "where nothing has changed, nothing can be brought back",
            fr=f"DVC nomme {len(modified)} fichiers modifiés et la table est passée de {shown(then)} à {shown(now)} "
            "lignes : là où rien n'a changé, il n'y a rien à ramener",
        ),
        WORK.measure(_EXERCISE),
    )


def _back(run: View) -> Finding:
    first, back = run.text("content.first"), _content(run, "checked_out")
    return need(
        "back",
        back == first,
        f"first={first} checked_out={back}",
        Text(
            en=f"the checkout of the first version ({first}) left {back} in its maker's folder",
            fr=f"le checkout de la première version ({first}) a laissé {back} dans le dossier de son auteur",
        ),
        WORK.measure(_EXERCISE),
    )


def _pulled(run: View) -> Finding:
    first, pulled = run.text("content.first"), _content(run, "pulled")
    return need(
        "pulled",
        pulled == first,
        f"first={first} pulled={pulled} remote.files={shown(run.number('remote.files'))}",
        Text(
            en=f"a clone of the repository asked DVC for the first version ({first}) and got {pulled}; the remote has "
            f"{shown(run.number('remote.files'))} files",
            fr=f"un clone du dépôt a demandé à DVC la première version ({first}) et a obtenu {pulled} ; le dépôt "
            f"distant a {shown(run.number('remote.files'))} fichiers",
        ),
        WORK.edit(
            _EXERCISE,
            en="send what you keep, so that somebody else can have it too",
            fr="envoyez ce que vous gardez, pour qu'un autre puisse l'avoir aussi",
        ),
    )


def _tied(run: View) -> Finding:
    tied = run.at("tied").value
    told = View(tied if isinstance(tied, dict) else {"registry": "", "tables": {}}, "tied")
    registry, tables = told.text("registry"), told.entries("tables")
    return need(
        "tied",
        bool(registry) and _FLIGHTS in tables,
        f"registry={registry or 'none'} tables={','.join(tables) or 'none'}",
        Text(
            en=f"beside the copy of the colleague no manifest names both the feature registry and {_FLIGHTS}: nobody "
            "can say what the set was made from",
            fr=f"à côté de la copie du collègue, aucun manifeste ne nomme le registre de features et {_FLIGHTS} : nul "
            "ne peut dire de quoi le jeu est fait",
        ),
        WORK.measure(_EXERCISE),
    )


def _rebuilt(run: View) -> Finding:
    first, rebuilt = run.text("content.first"), _content(run, "rebuilt")
    return need(
        "rebuilt",
        rebuilt == first,
        f"first={first} rebuilt={rebuilt}",
        Text(
            en=f"made again from its manifest, the first version ({first}) came out as {rebuilt}: other rows were read",
            fr=f"refaite depuis son manifeste, la première version ({first}) est devenue {rebuilt} : d'autres lignes "
            "ont été lues",
        ),
        WORK.edit(
            _EXERCISE,
            en="let the rebuild read the tables as the manifest names them",
            fr="faites lire à la reconstruction les tables telles que le manifeste les nomme",
        ),
    )


def _content(run: View, name: str) -> str:
    """What a way back gave; `null` where it gave nothing."""
    return str(run.at(f"content.{name}").value or "null")
