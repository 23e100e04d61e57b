"""Errors as the user meets them."""

import inspect

import pytest

from lab import errors
from lab.errors import LabError
from lab.text import Text


@pytest.mark.parametrize(
    ("name", "code"),
    [("LabError", 1), ("BadInput", 2), ("MissingRequirement", 3), ("Busy", 4), ("NotConverged", 5), ("Residue", 6)],
)
def test_each_kind_of_trouble_has_its_exit_code(name: str, code: int) -> None:
    """Scripts tell troubles apart by exit code; the codes are fixed, and the module's picture shows them."""
    assert getattr(errors, name).exit_code == code
    if code > 1:
        assert f"{name} " in str(errors.__doc__)
        assert f"exit {code}:" in str(errors.__doc__)


def test_no_kind_is_left_out_above() -> None:
    """Every error class of the module has an exit code of its own, and none is 0."""
    classes = [each for _, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, LabError)]
    codes = [each.exit_code for each in classes]
    assert sorted(codes) == list(range(1, len(classes) + 1))


def test_an_error_tells_what_happened_and_what_to_do_in_the_users_language() -> None:
    """What happened on the first line, the remedy on one of its own."""
    error = LabError(Text(en="the door is shut", fr="la porte est fermée"), Text(en="open it", fr="ouvrez-la"))
    assert error.render("en") == "the door is shut\nWhat to do: open it"
    assert error.render("fr") == "la porte est fermée\nQue faire : ouvrez-la"
    assert str(error) == error.render("en")
