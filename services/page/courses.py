"""Courses over time as pictures inside the page (SVG), each line told in words as well."""

from collections.abc import Sequence
from html import escape

from page.figures import SPAN_SECONDS
from page.prometheus import Course
from page.questions import Question
from page.words import Language, Words, number

_WIDTH, _HEIGHT, _LEFT, _FOOT = 320, 120, 44, 18
_LINES = {
    "stable": Words("solid line", "trait plein"),
    "canary": Words("dashed line", "tirets"),
    "": Words("dotted line", "pointillés"),
}
_NOTHING = Words("no data in the last 15 minutes", "aucune donnée ces 15 dernières minutes")
_TOLD = Words(
    "{track} ({line}): {last} {unit} now, {low} to {high} in 15 minutes",
    "{track} ({line}) : {last} {unit} à présent, de {low} à {high} en 15 minutes",
)
_NO_TRACK = Words("no track", "sans piste")


def figure(question: Question, courses: Sequence[Course], until: float, language: Language) -> str:
    """One picture with its title and words; words alone where there is nothing to draw.

    Args:
        question: what is shown.
        courses: one for each track.
        until: the right edge, seconds since 1970.
        language: of the words.
    """
    title, drawn = escape(question.title.of(language)), [each for each in courses if each.points]
    if not drawn:
        return f"<figure><h3>{title}</h3><p>{_NOTHING.of(language)}</p></figure>"
    words = [_told(each, question, language) for each in drawn]
    captions = "".join(f"<li>{escape(each)}</li>" for each in words)
    picture = _picture(question, drawn, until, language)
    return f"<figure><h3>{title}</h3>{picture}<figcaption><ul>{captions}</ul></figcaption></figure>"


def _picture(question: Question, courses: Sequence[Course], until: float, language: Language) -> str:
    top = max(value for each in courses for _, value in each.points) or 1.0
    lines = "".join(_line(each, until, top) for each in courses)
    unit = escape(question.unit.of(language))
    label = escape(f"{question.title.of(language)}, {question.unit.of(language)}")
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}">'
        f'<path class="axis" d="M{_LEFT} 4V{_HEIGHT - _FOOT}H{_WIDTH - 2}" fill="none"/>'
        f'<text x="{_LEFT - 4}" y="12" text-anchor="end">{number(top, language, question.digits)}</text>'
        f'<text x="{_LEFT - 4}" y="26" text-anchor="end">{unit}</text>'
        f'<text x="{_LEFT - 4}" y="{_HEIGHT - _FOOT}" text-anchor="end">0</text>'
        f'<text x="{_LEFT}" y="{_HEIGHT - 4}">-15 min</text>'
        f'<text x="{_WIDTH - 2}" y="{_HEIGHT - 4}" text-anchor="end">0</text>{lines}</svg>'
    )


def _line(course: Course, until: float, top: float) -> str:
    wide, high = _WIDTH - _LEFT - 2, _HEIGHT - _FOOT - 4
    points = " ".join(
        f"{_LEFT + wide * (1 - (until - at) / SPAN_SECONDS):.1f},{4 + high * (1 - value / top):.1f}"
        for at, value in course.points
    )
    return f'<polyline class="{_kind(course) or "other"}" points="{points}"/>'


def _told(course: Course, question: Question, language: Language) -> str:
    values = [value for _, value in course.points]
    shown = {
        name: number(value, language, question.digits)
        for name, value in (("last", values[-1]), ("low", min(values)), ("high", max(values)))
    }
    track = course.labels.get("track") or _NO_TRACK.of(language)
    line, unit = _LINES[_kind(course)].of(language), question.unit.of(language)
    return _TOLD.of(language).format(track=track, line=line, unit=unit, **shown)


def _kind(course: Course) -> str:
    track = course.labels.get("track", "")
    return track if track in _LINES else ""
