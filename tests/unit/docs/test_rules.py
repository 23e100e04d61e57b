"""The rules of documents: each catches a document that breaks it, with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.commands import lab
from lab.docs import RULES, Checkout, examine
from unit.docs.checkouts import made

_STATUS = "```bash\nlab status\n```\n\n```output\n✓\n```\n"
_HELP = "```sh\nlab check --help\n```\n\n```output\nUsage: x\n```\n"
_GUIDE, _FRENCH = "labs/01-first/guide.md", "labs/01-first/guide.fr.md"


def test_documents_that_say_nothing_wrong_pass(tmp_path: Path) -> None:
    """The checkout that the other tests break is whole."""
    assert examine(made(tmp_path)) == []


@pytest.mark.parametrize(
    ("rule", "file", "old", "new", "place", "words"),
    [
        ("links", _GUIDE, "guide.fr.md#", "guide.de.md#", f"{_GUIDE}:3", "guide.de.md"),
        ("links", _GUIDE, "#lab-01", "#lab-02", f"{_GUIDE}:3", "#lab-02"),
        ("file_names", _GUIDE, "start/one.yaml", "start/two.yaml", f"{_GUIDE}:3", "manifests/start/two.yaml"),
        ("file_names", _GUIDE, "manifests/start/one.yaml", "two.yaml", f"{_GUIDE}:3", "two.yaml"),
        ("command_lines", "README.md", "lab up 01", "lab upp 01", "README.md:1", "upp"),
        ("command_lines", "README.md", "lab up 01", "lab up 07", "README.md:1", "lab 07"),
        ("command_lines", "README.md", "`lab up 01`", "`lab reset 01`, `--now`", "README.md:1", "--now"),
        ("command_lines", "README.md", "make lab-01", "make lab-07", "README.md:1", "lab-07"),
        ("command_lines", _GUIDE, "lab check 01 ||", "lab check 01 --hard ||", f"{_GUIDE}:8", "--hard"),
        ("command_lines", _GUIDE, "lab check 01 ||", "cd . && X=1 lab data lits ||", f"{_GUIDE}:8", "lits"),
        ("outputs", _GUIDE, "of <number>", "of <figure>", f"{_GUIDE}:14", "<figure>"),
        ("outputs", _FRENCH, "pod-<identifiant>", "pod-<id>", f"{_FRENCH}:23", "<id>"),
        ("outputs", _GUIDE, "```bash\nlab", "```sh\nlab", f"{_GUIDE}:11", "no commands prove"),
        ("outputs", "README.md", "Type", _STATUS, "README.md:5", "no commands"),
        ("both_languages", _FRENCH, "pod-<identifiant> ready", "pod-<identifiant> prêt", f"{_FRENCH}:22", "differs"),
        ("helps", "README.md", "Type", _HELP, "README.md:6", "x"),
    ],
)  # fmt: skip
def test_a_document_that_breaks_a_rule_is_told_where(  # noqa: PLR0913, PLR0917  one case, in full
    tmp_path: Path, rule: str, file: str, old: str, new: str, place: str, words: str
) -> None:
    """That rule alone complains, once, names the line and the piece, in both languages, with a remedy."""
    made(tmp_path)
    path = tmp_path / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    checkout = Checkout(tmp_path, lab)
    found = {each.__name__: list(each(checkout)) for each in RULES}
    (fault,) = found.pop(rule)
    assert fault.file == place
    assert words in fault.what.en
    assert fault.what.fr
    assert fault.remedy.en
    assert fault.remedy.fr
    assert not any(found.values())


@pytest.mark.parametrize(
    "words",
    [
        "`lab hint 01 EXERCISE`, `--level 2`",
        "`lab kubectl -n chain logs --tail=3 deploy/x`",
        "`labs/*/guide.md`, `labs/NN-name/guide.md`, `labs/01-first/manifests/<start>/one.yaml`",
        "`lab hint 01`\n\n<!-- lab new 07 x -->\n\n`lab up 07`, `make lab-07`, `labs/07-x/guide.md`",
        "`app.kubernetes.io/part-of`, `/metrics`, `lab-01/gateway`, `text/plain`",
        "`labs/01-first/manifests/work/one.yaml`, `build/guides/01.en.json`",
        "[out](https://example.org/x.md#y), [mail](mailto:a@example.org)",
    ],
)
def test_what_only_looks_wrong_is_left_alone(tmp_path: Path, words: str) -> None:
    """Placeholders, other programs' options, routes and labels are nobody's mistake."""
    made(tmp_path)
    (tmp_path / "README.md").write_text(words, "utf-8")
    assert examine(Checkout(tmp_path, lab)) == []


def test_a_decision_may_name_a_file_of_its_time(tmp_path: Path) -> None:
    """Decisions and the changelog tell what was."""
    made(tmp_path)
    (tmp_path / "docs/adr/0001-first.md").write_text("Then `checks.py` held it.", "utf-8")
    assert examine(Checkout(tmp_path, lab)) == []


def test_every_rule_has_a_document_that_breaks_it() -> None:
    """No rule stands without proof that it can fail."""
    (mark,) = test_a_document_that_breaks_a_rule_is_told_where.pytestmark  # type: ignore[attr-defined]
    assert {rule.__name__ for rule in RULES} == {case[0] for case in mark.args[1]}
