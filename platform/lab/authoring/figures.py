"""docs/quality.md, in both languages, made of what the test run measured: nobody writes a figure into it by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from lab.authoring import taken
from lab.text import Language, Text

FILES = {"en": "docs/quality.md", "fr": "docs/quality.fr.md"}
_RECORDS = {
    "checks": "build/quality/checks.json",
    "diagnosis": "build/diagnosis.json",
    "independent": "build/diagnosis-independent.json",
    "second": "build/diagnosis-second.json",
    "third": "build/diagnosis-third.json",
    "breaks": "build/quality/breaks.json",
    "times": "build/quality/times.json",
    "budgets": "build/quality/budgets.json",
}
_TITLE = Text(en="# Figures of this checkout", fr="# Chiffres de cette version")
_OTHER = Text(en="*[Français](quality.fr.md)*", fr="*[English](quality.md)*")
_INTRO = Text(
    en="Written by `lab docs figures` from what `make test` measured on one machine; the files lie under `build/`.",
    fr="Écrits par `lab docs figures` d'après ce que `make test` a mesuré sur une machine ; les fichiers sont sous "
    "`build/`.",
)
_CHECKS = Text(en="## Checks", fr="## Vérifications")
_CHECKS_HEAD = Text(
    en="| lab | checks | conditions | mistakes caught by the right condition | other right solutions accepted | "
    "done at the start | all checks of the lab, from its file |",
    fr="| lab | vérifications | conditions | erreurs prises par la bonne condition | autres solutions justes acceptées "
    "| faites au départ | toutes les vérifications du lab, depuis son fichier |",
)
_DIAGNOSIS = Text(en="## Diagnosis", fr="## Diagnostic")
_DIAGNOSED = Text(
    en="{faults} faults, simulated on the recorded states of all labs: of {states} states {right} were given their one "
    "root cause ({share:.1%}); of {healthy} healthy states {blamed} were blamed. Causes and simulations were written "
    "together: this says that nothing got worse, and is no estimate of what a real cluster would give.",
    fr="{faults} pannes, simulées sur les états enregistrés de tous les labs : sur {states} états, {right} ont reçu "
    "leur cause première ({share:.1%}) ; sur {healthy} états sains, {blamed} ont été accusés. Causes et simulations "
    "ont été écrites ensemble : cela dit que rien n'a empiré, et n'estime pas ce que donnerait un vrai cluster.",
)
_INDEPENDENT = Text(
    en="{first[faults]} faults {whose}: at the first run, of {first[states]} "
    "states {first[right]} were given their one root cause ({first[share]:.1%}), and of {first[quiet]} states "
    "without a fault {first[blamed]} were blamed; now, with {faults} faults, {right} of {states} ({share:.1%}), "
    "and {blamed} of {quiet}. Of the {first[wrong]} cases that were wrong at first, {first[corrected]} had "
    "expected the wrong thing; for the others the causes were mended: the first figures come nearest to an "
    "estimate, the present ones say that it stays so.",
    fr="{first[faults]} pannes {whose} : à la première exécution, sur "
    "{first[states]} états, {first[right]} ont reçu leur cause première ({first[share]:.1%}), et sur "
    "{first[quiet]} états sans panne, {first[blamed]} ont été accusés ; à présent, avec {faults} pannes, "
    "{right} sur {states} ({share:.1%}), et {blamed} sur {quiet}. Des {first[wrong]} cas faux au début, "
    "{first[corrected]} attendaient la mauvaise chose ; pour les autres, les causes ont été corrigées : les "
    "premiers chiffres sont les plus proches d'une estimation, ceux d'à présent disent que cela reste vrai.",
)
_WHOSE = {
    "independent": Text(en="by an author who had not read the causes", fr="d'un auteur qui n'avait pas lu les causes"),
    "second": Text(
        en="of a second set by another author, who had not read the causes either, after they had been mended by the "
        "first",
        fr="d'un deuxième jeu, d'un autre auteur qui n'avait pas lu les causes non plus, après leur correction d'après "
        "le premier",
    ),
    "third": Text(
        en="of a third set by a further author, who had not read the causes either, after they had been mended by the "
        "second",
        fr="d'un troisième jeu, d'un autre auteur encore qui n'avait pas lu les causes non plus, après leur correction "
        "d'après le deuxième",
    ),
}
_BROKEN = Text(
    en="Done to the cluster itself by `lab break`, others each day: of {count} faults {first} were named right at the "
    "first telling, {right} in the end; the command that was told with it put {mended} of them right. {each}.",
    fr="Faites au cluster lui-même par `lab break`, d'autres chaque jour : sur {count} pannes, {first} ont été nommées "
    "juste dès la première réponse, {right} à la fin ; la commande donnée avec la cause en a réparé {mended}. {each}.",
)
_UNBROKEN = Text(
    en="No fault was done to the cluster itself in this run: `make test` does one, `make test-long` more.",
    fr="Aucune panne n'a été faite au cluster lui-même dans cette exécution : `make test` en fait une, "
    "`make test-long` plusieurs.",
)
_TIMES = Text(en="## Times on the cluster", fr="## Durées sur le cluster")
_TIMES_HEAD = Text(en="| lab | what | seconds | target |", fr="| lab | quoi | secondes | objectif |")
_WHATS = {
    "reset": Text(en="reset, replayed", fr="remise à zéro, rejouée"),
    "reset-kept": Text(en="reset, its start put back", fr="remise à zéro, départ remis"),
    "solve": Text(en="the solution, replayed and measured", fr="la solution, rejouée et mesurée"),
    "goto-solved": Text(en="jump to the solution that was kept", fr="aller à la solution gardée"),
    "restore": Text(en="a stash brought back", fr="une sauvegarde retrouvée"),
    "status": Text(en="`lab status`", fr="`lab status`"),
}
_TARGETS = {"reset": 30, "reset-kept": 30, "goto-solved": 45, "restore": 45, "status": 1}
_BUDGETS = Text.plain("## Budgets")
_MISSING = Text(en="Not measured in this run.", fr="Pas mesuré dans cette exécution.")


def write(root: Path) -> list[Path]:
    """Write the page and the guides' figures in both languages; return the files that changed."""
    records = {name: _record(root / file) for name, file in _RECORDS.items()}
    wanted = {root / name: page(records, language) for language, name in FILES.items()}  # type: ignore[arg-type]
    return [file for file, text in {**wanted, **taken.guides(root, records["budgets"])}.items() if _written(file, text)]


def page(records: Mapping[str, Any], language: Language) -> str:
    """Return the page.

    Args:
        records: `checks`, `diagnosis`, `independent`, `second`, `third`, `breaks`, `times` and `budgets` as the
            tests write them; None for what was not measured.
        language: of the page.

    """
    parts = [_TITLE, _OTHER, _INTRO]
    lines = [part.in_(language) for part in parts]
    for title, name, section in (
        (_CHECKS, "checks", _checks), (_DIAGNOSIS, "diagnosis", _diagnosis), (None, "independent", _of("independent")),
        (None, "second", _of("second")), (None, "third", _of("third")), (None, "breaks", _breaks),
        (_TIMES, "times", _times),
        (_BUDGETS, "budgets", taken.section),
    ):  # fmt: skip
        if title:
            lines.append(title.in_(language))
        missing = _UNBROKEN if name == "breaks" else _MISSING
        lines.append("\n".join(section(records[name], language)) if records[name] else missing.in_(language))
    return "\n\n".join(lines) + "\n"


def _checks(record: Mapping[str, Any], language: Language) -> Iterator[str]:
    yield _CHECKS_HEAD.in_(language)
    yield "|---|---|---|---|---|---|---|"
    for code, lab in sorted(record["labs"].items()):
        caught = f"{lab['killed_by_the_right_condition']} / {lab['mutants']}"
        taken = f"{lab['accepted']} / {lab['alternatives']}"
        took = f"{1000 * lab['seconds']:.1f} ms (≤ {1000 * record['most_seconds']:.0f} ms)"
        done = len(lab["done_at_start"])
        yield f"| {code} | {lab['checks']} | {lab['conditions']} | {caught} | {taken} | {done} | {took} |"


def _diagnosis(record: Mapping[str, Any], language: Language) -> Iterator[str]:
    yield _DIAGNOSED.in_(language).format(**record)


def _of(name: str) -> Callable[[Mapping[str, Any], Language], Iterator[str]]:
    """Return what tells the figures of one author's cases."""

    def section(record: Mapping[str, Any], language: Language) -> Iterator[str]:
        yield _INDEPENDENT.in_(language).format(whose=_WHOSE[name].in_(language), **record)

    return section


def _breaks(record: Mapping[str, Any], language: Language) -> Iterator[str]:
    found = [(code, name, each) for code, faults in sorted(record.items()) for name, each in sorted(faults.items())]
    yield _BROKEN.in_(language).format(
        count=len(found),
        first=sum(each["told"][:1] == [each["cause"]] for _, _, each in found),
        right=sum(each["told"][-1:] == [each["cause"]] for _, _, each in found),
        mended=sum("mended" in each for _, _, each in found),
        each=", ".join(f"lab {code} `{name}` ({each['seconds']:.0f} s)" for code, name, each in found),
    )


def _times(record: Mapping[str, Any], language: Language) -> Iterator[str]:
    yield _TIMES_HEAD.in_(language)
    yield "|---|---|---|---|"
    for code, times in sorted(record.items()):
        for what, seconds in times.items():
            target = f"≤ {_TARGETS[what]}" if what in _TARGETS else ""
            yield f"| {code} | {_WHATS[what].in_(language)} | {seconds:.1f} | {target} |"


def _written(file: Path, text: str) -> bool:
    """Write a file where that changes it; say whether it did."""
    if file.exists() and file.read_text("utf-8") == text:
        return False
    file.write_text(text, "utf-8")
    return True


def _record(file: Path) -> Any:  # noqa: ANN401  JSON
    try:
        return json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return None
