"""The rules that a lab keeps: what trainees can rely on in every lab, whoever wrote it."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TypeAlias

from lab.authoring.folder import Folder
from lab.checks.proof import done
from lab.errors import Fault, LabError
from lab.state.redaction import redacted
from lab.text import Language, Text

HINTS, MUTANTS = 3, 3
"""Of each exercise, at least."""
ALTERNATIVES = 2
"""Of each lab, at least."""
LARGEST = 600_000
"""Bytes of a recorded state: somebody has to review it."""
_LANGUAGES: tuple[Language, ...] = ("en", "fr")
_PLACE = re.compile(r"manifests/work/[a-z-]+\.yaml|`[^`]+`")
_PLAIN = {"__future__", "collections", "itertools", "math", "statistics"}
"""Modules of the standard library that a check may use."""
_RECORD = Text(
    en="record it again from a real cluster (`lab support`)",
    fr="enregistrez-le de nouveau depuis un vrai cluster (`lab support`)",
)


Faults: TypeAlias = Iterator[Fault]
Rule: TypeAlias = Callable[[Folder], Faults]


def judge(folder: Folder) -> list[Fault]:
    """Hold a lab to every rule; a part that cannot be read is a fault of its own, told once."""
    found: dict[str, Fault] = {}
    for rule in RULES:
        try:
            for fault in rule(folder):
                found.setdefault(f"{fault.file}: {fault.what.en}", fault)
        except LabError as error:
            found.setdefault(error.what.en, Fault(folder.name, error.what, error.remedy))
    return list(found.values())


def hints(lab: Folder) -> Faults:
    """Hints lead from a nudge to the file: several, none twice, and only the last one names the file to edit."""
    for exercise in lab.spec.exercises:
        named = f"manifests/work/{exercise.id}.yaml"
        for language in _LANGUAGES:
            told = [hint.in_(language) for hint in exercise.hints]
            if len(set(told)) < max(HINTS, len(told)):
                yield Fault(
                    lab.declared,
                    Text(
                        en=f"exercises.{exercise.id}.hints: fewer than {HINTS} different ones ({language})",
                        fr=f"exercises.{exercise.id}.hints : moins de {HINTS} indices différents ({language})",
                    ),
                    Text(en="add one", fr="ajoutez-en un"),
                )
            if [named in each for each in told] != [False] * (len(told) - 1) + [True]:
                yield Fault(
                    lab.declared,
                    Text(
                        en=f"exercises.{exercise.id}.hints: the last one, and no other, names {named} ({language})",
                        fr=f"exercises.{exercise.id}.hints : le dernier, et lui seul, nomme {named} ({language})",
                    ),
                    Text(en="move the file's name there", fr="déplacez-y le nom du fichier"),
                )


def guides(lab: Folder) -> Faults:
    """Both guides have the same parts and the same commands, and lead through every exercise."""
    if lab.commands("en") != lab.commands("fr"):
        yield Fault(
            "guide.fr.md",
            Text(
                en="its bash blocks are not those of guide.md",
                fr="ses blocs bash ne sont pas ceux de guide.md",
            ),
            Text(en="copy them: commands are not translated", fr="recopiez-les : les commandes ne se traduisent pas"),
        )
    if lab.shape("en") != lab.shape("fr"):
        yield Fault(
            "guide.fr.md",
            Text(
                en="headings, blocks, lists or tables do not follow each other as in guide.md",
                fr="titres, blocs, listes ou tableaux ne se suivent pas comme dans guide.md",
            ),
            Text(en="translate part by part", fr="traduisez partie par partie"),
        )
    for language, file in (("en", "guide.md"), ("fr", "guide.fr.md")):
        for name in lab.exercises:
            if f"`{name}`" not in lab.guide(language):  # type: ignore[arg-type]  # one of both
                yield Fault(
                    file,
                    Text(en=f"exercise `{name}` is not named", fr=f"l'exercice `{name}` n'est pas nommé"),
                    Text(en="add its step", fr="ajoutez son étape"),
                )


def manifests(lab: Folder) -> Faults:
    """The solution has the files of the start: what is wrong in one is right in the other."""
    for name in sorted(lab.manifests("start") ^ lab.manifests("solved")):
        yield Fault(
            "manifests",
            Text(
                en=f"{name} is in one of start and solved only",
                fr=f"{name} n'est que dans l'un de start et solved",
            ),
            Text(en="write the other one", fr="écrivez l'autre"),
        )


def quiz(lab: Folder) -> Faults:
    """Every question can be answered by what an exercise shows."""
    for question in lab.quiz:
        if question.exercise not in lab.exercises:
            yield Fault(
                "quiz.yaml",
                Text(
                    en=f"{question.id}.exercise: there is no exercise {question.exercise}",
                    fr=f"{question.id}.exercise : il n'y a pas d'exercice {question.exercise}",
                ),
                Text(en="name the one that shows it", fr="nommez celui qui le montre"),
            )


def mutants(lab: Folder) -> Faults:
    """Each exercise has several mutants, each condition one that it alone kills, and no mutant survives."""
    counts = Counter(mutant.exercise for mutant in lab.mutants)
    for name in lab.exercises:
        if counts[name] < MUTANTS:
            yield Fault(
                "mutants.yaml",
                Text(
                    en=f"{name}: {counts[name]} mutants, at least {MUTANTS} are asked for",
                    fr=f"{name} : {counts[name]} mutants, il en faut au moins {MUTANTS}",
                ),
                Text(en="add mistakes that trainees make", fr="ajoutez des erreurs que font les stagiaires"),
            )
    made_for = {(mutant.exercise, mutant.condition) for mutant in lab.mutants}
    for name, verdict in lab.verdicts(lab.solved).items():
        for finding in verdict.findings:
            if (name, finding.condition) not in made_for:
                yield Fault(
                    "mutants.yaml",
                    Text(
                        en=f"{name}: no mutant is made for the condition {finding.condition}",
                        fr=f"{name} : aucun mutant n'est fait pour la condition {finding.condition}",
                    ),
                    Text(en="add one, or drop the condition", fr="ajoutez-en un, ou retirez la condition"),
                )
    for fate in lab.proof.mutants.survivors:
        yield Fault(
            "mutants.yaml",
            Text(
                en=f"{fate.mutant.id} survives: {fate.mutant.condition} was to fail alone, not {list(fate.failed)}",
                fr=f"{fate.mutant.id} survit : {fate.mutant.condition} devait échouer seule, pas {list(fate.failed)}",
            ),
            Text(en="mend the check", fr="corrigez la vérification"),
        )


def alternatives(lab: Folder) -> Faults:
    """Other right solutions are known, which the checks judge by other evidence, and none of them is refused."""
    seen = sum(each.seen for each in lab.proof.alternatives)
    if seen < ALTERNATIVES:
        yield Fault(
            "alternatives.yaml",
            Text(
                en=f"{seen} alternatives that a check judges by other evidence, at least {ALTERNATIVES} are asked for",
                fr=f"{seen} alternatives qu'une vérification juge sur d'autres preuves, il en faut au moins "
                f"{ALTERNATIVES}",
            ),
            Text(
                en="add right solutions that trainees choose",
                fr="ajoutez des solutions justes que choisissent les stagiaires",
            ),
        )
    for each in lab.proof.refused:
        told = f"{each.alternative.id}: {', '.join(each.refused)}"
        yield Fault(
            "alternatives.yaml",
            Text(en=f"{told} refuses what is right", fr=f"{told} refuse ce qui est juste"),
            Text(en="mend the check", fr="corrigez la vérification"),
        )


def start(lab: Folder) -> Faults:
    """At the start no exercise is done, and each verdict leads to a place, the same one in both languages."""
    for name in done(lab.checks, lab.start):
        yield Fault(
            "bundles/start.json",
            Text(en=f"{name} is done before anybody did it", fr=f"{name} est fait avant que quiconque l'ait fait"),
            Text(en="mend the check or the start", fr="corrigez la vérification ou le départ"),
        )
    for name, verdict in lab.verdicts(lab.start).items():
        for finding in verdict.unmet:
            places = [_PLACE.findall(finding.remedy.in_(language)) for language in _LANGUAGES]
            told = [part.in_(language) for part in (finding.reason, finding.remedy) for language in _LANGUAGES]
            if not all(told) or not places[0] or places[0] != places[1]:
                yield Fault(
                    "checks",
                    Text(
                        en=f"{name}.{finding.condition}: reason or remedy leads nowhere",
                        fr=f"{name}.{finding.condition} : la raison ou le remède ne mène nulle part",
                    ),
                    Text(
                        en="say both in both languages, and name the file or the command, the same in each",
                        fr="dites les deux en deux langues, et nommez le fichier ou la commande, le même dans chacune",
                    ),
                )


def solution(lab: Folder) -> Faults:
    """With the solution every exercise is done, and each condition shows what was seen."""
    for name, verdict in lab.verdicts(lab.solved).items():
        for finding in verdict.findings:
            if not finding.met or not finding.evidence:
                yield Fault(
                    "bundles/solved.json",
                    Text(
                        en=f"{name}.{finding.condition}: {finding.reason.en if not finding.met else 'no evidence'}",
                        fr=f"{name}.{finding.condition} : {finding.reason.fr if not finding.met else 'aucune preuve'}",
                    ),
                    Text(en="mend the check or the solution", fr="corrigez la vérification ou la solution"),
                )


def recorded(lab: Folder) -> Faults:
    """Recorded states hold no secret and can be reviewed."""
    for name, state in (("start", lab.start), ("solved", lab.solved)):
        file = f"bundles/{name}.json"
        if redacted(state) != state:
            yield Fault(file, Text(en="holds a secret", fr="contient un secret"), _RECORD)
        if (lab.path / file).stat().st_size >= LARGEST:
            yield Fault(
                file,
                Text(en=f"is larger than {LARGEST} bytes", fr=f"dépasse {LARGEST} octets"),
                Text(en="record less (`evidence`)", fr="enregistrez moins (`evidence`)"),
            )


def imports(lab: Folder) -> Faults:
    """Checks stand on `lab.checks` and the standard library's plain tools: they judge, and reach nothing."""
    for file in sorted((lab.path / "checks").glob("*.py")):
        for node in ast.walk(ast.parse(lab.text(f"checks/{file.name}"))):
            if isinstance(node, ast.Import):
                named = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                named = [str(node.module)]
            else:
                continue
            for name in named:
                if name != "lab.checks" and name.partition(".")[0] not in _PLAIN:
                    yield Fault(
                        f"checks/{file.name}",
                        Text(en=f"imports {name}", fr=f"importe {name}"),
                        Text(
                            en=f"use lab.checks and {', '.join(sorted(_PLAIN))} only",
                            fr=f"n'utilisez que lab.checks et {', '.join(sorted(_PLAIN))}",
                        ),
                    )


def coverage(lab: Folder) -> Faults:
    """The table of coverage names every exercise."""
    for name in lab.exercises:
        if f"`{name}`" not in lab.coverage():
            yield Fault(
                "docs/coverage.md",
                Text(en=f"exercise `{name}` is not named", fr=f"l'exercice `{name}` n'est pas nommé"),
                Text(en="add it to its topic's row", fr="ajoutez-le à la ligne de son sujet"),
            )


RULES: tuple[Rule, ...] = (
    hints, guides, manifests, quiz, imports, start, solution, mutants, alternatives, recorded, coverage,
)  # fmt: skip
"""In the order in which an author meets them."""
