"""Words for people, in both languages, and figures as each language writes them."""

import msgspec


class Words(msgspec.Struct, frozen=True):
    """One message in English and French, equal in content."""

    en: str
    fr: str

    def __add__(self, other: "Words") -> "Words":
        """Both messages, one after the other."""
        return Words(f"{self.en} {other.en}", f"{self.fr} {other.fr}")


def percent(share: float) -> Words:
    """A share as per cent, with one digit where it is small."""
    digits = 2 if 0 < share < 0.001 else 1  # noqa: PLR2004  below it one digit says nothing
    return number(share * 100, digits) + Words("%", "%")


def number(value: float, digits: int = 2) -> Words:
    """A figure with so many digits behind the point (comma in French)."""
    text = f"{value:.{digits}f}"
    return Words(text, text.replace(".", ","))


def one_in(chance: float) -> Words:
    """A small chance as "1 in 5,000"."""
    many = f"{round(1 / chance):,}"
    return Words(f"1 in {many}", f"1 sur {many.replace(',', ' ')}")
