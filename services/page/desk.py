"""What is asked of the page over HTTP.

GET /, /en, /fr            every figure, renewed by the browser from time to time
GET /en/still, /fr/still   the same, as it was
GET /en/trace/ID           the steps of one trace
GET /figures               the figures of now as JSON, with the question behind each
"""

import re
from http import HTTPStatus

from page import figures, pages
from page.errors import Away
from page.jaeger import Jaeger
from page.prometheus import Prometheus
from page.settings import PageSettings
from page.words import LANGUAGES, Language
from runtime.web import Answer, Page, Question

_TRACE = re.compile(r"[0-9a-f]{1,32}")


class Desk:
    """Answers.

    Args:
        settings: where figures come from and where links lead.
    """

    def __init__(self, settings: PageSettings) -> None:
        self._settings = settings
        self._prometheus = Prometheus(settings.prometheus, settings.wait_seconds)
        self._jaeger = Jaeger(settings.jaeger, settings.wait_seconds)

    def questions(self) -> dict[str, Question]:
        """First segment of a path -> what answers it."""
        languages: dict[str, Question] = {each: self._in(each) for each in LANGUAGES}
        return {"": self._in("en"), "figures": self._figures, **languages}

    def _in(self, language: Language) -> Question:
        def answer(segments: tuple[str, ...]) -> Answer:
            match segments:
                case ():
                    return self._first(language, renewed=True)
                case ("still",):
                    return self._first(language, renewed=False)
                case ("trace", identity) if _TRACE.fullmatch(identity):
                    return self._trace(identity, language)
            paths = ["/en", "/fr", "/en/still", "/fr/still", "/en/trace/ID", "/fr/trace/ID", "/figures"]
            return HTTPStatus.NOT_FOUND, {"error": f"no page {'/'.join(segments)}", "paths": paths}

        return answer

    def _figures(self, _: tuple[str, ...]) -> Answer:
        """GET /figures; also without Prometheus, which is then told."""
        return HTTPStatus.OK, figures.as_json(figures.gathered(self._prometheus))

    def _first(self, language: Language, *, renewed: bool) -> Answer:
        now = figures.gathered(self._prometheus)
        over_time = figures.over_time(self._prometheus, now)
        traces = figures.traces(self._jaeger, self._settings.traced)
        page = pages.first(now, over_time, traces, self._settings, language, renewed=renewed)
        return HTTPStatus.OK, Page(page)

    def _trace(self, identity: str, language: Language) -> Answer:
        found = figures.tried(lambda: self._jaeger.trace(identity))
        status = HTTPStatus.SERVICE_UNAVAILABLE if isinstance(found, Away) else HTTPStatus.OK
        if found is None:
            status = HTTPStatus.NOT_FOUND
        return status, Page(pages.traced(identity, found, self._settings, language))
