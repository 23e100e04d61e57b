"""The parts of the first page, each from the figures that it shows."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from urllib.parse import urlencode

from page import courses
from page.errors import Away
from page.figures import Figures, Passed, Version
from page.jaeger import Trace
from page.prometheus import Course
from page.questions import ALERTS, COURSES, EVIDENCE, GATEWAY, LOST, PHASE, VERSIONS, WEIGHTS, Question
from page.words import NONE, Language, Words, number

_AWAY = Words(
    "There are no figures: Prometheus does not answer.", "Il n'y a pas de chiffres : Prometheus ne répond pas."
)
_AWAY_MORE = Words("What it said: {what}. What to do: {remedy}.", "Ce qui a été dit : {what}. Que faire : {remedy}.")
_NO_TRACES = Words("There are no traces: Jaeger does not answer.", "Il n'y a pas de traces : Jaeger ne répond pas.")
_MODELS = Words("Models and versions", "Modèles et versions")
_MODELS_NONE = Words(
    "No data: no server of models has told Prometheus anything yet.",
    "Aucune donnée : aucun serveur de modèles n'a encore rien dit à Prometheus.",
)
_MODELS_CAPTION = Words(
    "One row for each version that answers; a dash where there is no figure: nobody asked, or no label has come. Each "
    "heading leads to its question in Prometheus.",
    "Une ligne pour chaque version qui répond ; un tiret où il n'y a pas de chiffre : personne n'a demandé, ou aucun "
    "label n'est arrivé. Chaque titre mène à sa question dans Prometheus.",
)
_TRACK, _MODEL, _VERSION = Words("track", "piste"), Words("model", "modèle"), Words("version", "version")
_GATEWAY = Words("Gateway", "Passerelle")
_GATEWAY_NONE = Words(
    "No data: nothing has gone through the gateway in the last minute, or there is none.",
    "Aucune donnée : rien n'est passé par la passerelle depuis une minute, ou il n'y en a pas.",
)
_GATEWAY_CAPTION = Words(
    "What Envoy itself measures, beside what the servers say: of each track, copies included, and of what callers got, "
    "whoever answered.",
    "Ce que mesure Envoy, à côté de ce que disent les serveurs : de chaque piste, copies comprises, et de ce "
    "que les appelants ont reçu, quel que soit le répondant.",
)
_CALLERS = Words("all callers", "tous les appelants")
_RELEASE = Words("Release", "Livraison")
_RELEASE_NONE = Words("No release is known.", "Aucune livraison n'est connue.")
_RELEASE_NOW = Words("The last release: {phase}, stage {stage}.", "La dernière livraison : {phase}, étape {stage}.")
_RELEASE_WHY = Words(
    "`lab release status` gives the reason of each decision.",
    "`lab release status` donne la raison de chaque décision.",
)
_PHASES = {
    "running": Words("running", "en cours"),
    "paused": Words("paused, because there are no metrics", "en pause, faute de métriques"),
    "promoting": Words("being promoted", "en promotion"),
    "promoted": Words("promoted", "promue"),
    "finished": Words("ended well", "bien finie"),
    "rolled back": Words("rolled back", "annulée"),
}
_CRITERIA = {
    "errors": Words("failed requests", "requêtes en échec"),
    "slow": Words("slow requests", "requêtes lentes"),
    "goal": Words("goal of the test", "but du test"),
}
_WEIGHTS_NONE = Words("No data on the route's weights.", "Aucune donnée sur les poids de la route.")
_COURSES = Words("The last 15 minutes", "Les 15 dernières minutes")
_TRACES = Words("Latest traces", "Dernières traces")
_TRACES_NONE = Words(
    "No data: no trace of the last hour went through {service}.",
    "Aucune donnée : aucune trace de la dernière heure n'est passée par {service}.",
)
_ALERTS = Words("Alerts", "Alertes")
_ALERTS_NONE = Words("No alert fires.", "Aucune alerte.")
_LOST = Words(
    "Requests that reached no model: {rate} per s.", "Requêtes qui n'ont atteint aucun modèle : {rate} par s."
)


def link(base: str, question: Question, words: str) -> str:
    """A link to a figure's question in Prometheus."""
    asked = urlencode({"g0.expr": question.query, "g0.tab": "0", "g0.range_input": "15m"})
    return f'<a href="{escape(base)}/graph?{escape(asked)}">{escape(words)}</a>'


def away(failure: Away, language: Language, title: Words = _AWAY) -> str:
    """That a source does not answer, why, and what to do."""
    more = _AWAY_MORE.of(language).format(what=failure.what, remedy=failure.remedy)
    return f'<div class="bad" role="alert"><p><strong>{title.of(language)}</strong></p><p>{escape(more)}</p></div>'


def models(figures: Figures, base: str, language: Language) -> str:
    """Every version with its figures."""
    head = f'<h2 id="models">{_MODELS.of(language)}</h2>'
    if not figures.versions:
        return f"{head}<p>{_MODELS_NONE.of(language)}</p>{_lost(figures, base, language)}"
    names = [escape(each.of(language)) for each in (_MODEL, _TRACK, _VERSION)]
    columns = [f'<th scope="col">{each}</th>' for each in names]
    columns += [f'<th scope="col" class="n">{_titled(each, base, language)}</th>' for each in VERSIONS]
    rows = "".join(_row(each, language) for each in figures.versions)
    table = _table(_MODELS_CAPTION.of(language), columns, rows)
    return f"{head}{table}{_lost(figures, base, language)}"


def gateway(figures: Figures, base: str, language: Language) -> str:
    """What Envoy measures, by track."""
    head = f'<h2 id="gateway">{_GATEWAY.of(language)}</h2>'
    if not figures.gateway:
        return f"{head}<p>{_GATEWAY_NONE.of(language)}</p>"
    columns = [f'<th scope="col">{escape(_TRACK.of(language))}</th>']
    columns += [f'<th scope="col" class="n">{_titled(each, base, language)}</th>' for each in GATEWAY]
    rows = "".join(_passed(each, language) for each in figures.gateway)
    return head + _table(_GATEWAY_CAPTION.of(language), columns, rows)


def release(figures: Figures, base: str, language: Language) -> str:
    """Where requests go by the route, and how far the release is."""
    parts = [f'<h2 id="release">{_RELEASE.of(language)}</h2>']
    if figures.phase is None:
        parts.append(f"<p>{_RELEASE_NONE.of(language)}</p>")
    else:
        phase = _PHASES.get(figures.phase, Words(figures.phase, figures.phase)).of(language)
        words = _RELEASE_NOW.of(language).format(phase=phase, stage=figures.stage)
        why = _RELEASE_WHY.of(language).replace("`lab release status`", "<code>lab release status</code>")
        parts.append(f"<p>{link(base, PHASE, words)} {why}</p>")
    if not figures.weights:
        parts.append(f"<p>{_WEIGHTS_NONE.of(language)}</p>")
    else:
        parts.append(_pairs("Service", WEIGHTS, figures.weights, base, language))
    if figures.evidence:
        named = {_CRITERIA.get(name, Words(name, name)).of(language): share for name, share in figures.evidence.items()}
        parts.append(_pairs(Words("criterion", "critère").of(language), EVIDENCE, named, base, language))
    return "".join(parts)


def over_time(found: dict[str, list[Course]] | Away, until: float, base: str, language: Language) -> str:
    """The courses of the last minutes."""
    head = f'<h2 id="courses">{_COURSES.of(language)}</h2>'
    if isinstance(found, Away):
        return head + away(found, language)
    drawn = "".join(
        courses.figure(each, found[each.key], until, language).replace(
            "</figure>", f"<p>{link(base, each, 'Prometheus')}</p></figure>"
        )
        for each in COURSES
    )
    return f'{head}<div class="charts">{drawn}</div>'


def latest(found: Sequence[Trace] | Away, service: str, base: str, language: Language) -> str:
    """The latest traces of a service."""
    head = f'<h2 id="traces">{_TRACES.of(language)}</h2>'
    if isinstance(found, Away):
        return head + away(found, language, _NO_TRACES)
    if not found:
        return f"{head}<p>{escape(_TRACES_NONE.of(language).format(service=service))}</p>"
    titles = Words("began (UTC)|first step|services|steps|ms|", "début (UTC)|premier pas|services|pas|ms|")
    columns = [f'<th scope="col">{each}</th>' for each in titles.of(language).split("|")[:-1]]
    columns.append('<th scope="col">Jaeger</th>')
    rows = "".join(_trace(each, base, language) for each in found)
    caption = Words("A step leads to all of its trace.", "Un pas mène à toute sa trace.").of(language)
    return head + _table(caption, columns, rows)


def alerts(figures: Figures, base: str, language: Language) -> str:
    """What fires."""
    head = f'<h2 id="alerts">{link(base, ALERTS, _ALERTS.of(language))}</h2>'
    if not figures.alerts:
        return f"{head}<p>{_ALERTS_NONE.of(language)}</p>"
    items = "".join(f"<li>{escape(_alert(each))}</li>" for each in figures.alerts)
    return f'{head}<ul class="bad">{items}</ul>'


def _alert(labels: Mapping[str, str]) -> str:
    more = {key: value for key, value in labels.items() if key not in ("__name__", "alertname", "alertstate")}
    told = ", ".join(f"{key} {value}" for key, value in sorted(more.items()))
    return f"{labels.get('alertname', '?')} ({told})" if told else labels.get("alertname", "?")


def _lost(figures: Figures, base: str, language: Language) -> str:
    if not figures.lost:
        return ""
    return f"<p>{link(base, LOST, _LOST.of(language).format(rate=number(figures.lost, language, 2)))}</p>"


def _titled(question: Question, base: str, language: Language) -> str:
    unit = question.unit.of(language)
    return link(base, question, question.title.of(language)) + (f"<br>{escape(unit)}" if unit else "")


def _row(version: Version, language: Language) -> str:
    cells = [f'<td class="n">{number(version.figures[each.key], language, each.digits)}</td>' for each in VERSIONS]
    names = f"<td>{escape(version.track or NONE)}</td><td>{escape(version.version)}</td>"
    return f'<tr><th scope="row">{escape(version.model)}</th>{names}{"".join(cells)}</tr>'


def _passed(passed: Passed, language: Language) -> str:
    cells = [f'<td class="n">{number(passed.figures[each.key], language, each.digits)}</td>' for each in GATEWAY]
    return f'<tr><th scope="row">{escape(passed.track or _CALLERS.of(language))}</th>{"".join(cells)}</tr>'


def _pairs(name: str, question: Question, values: Mapping[str, float], base: str, language: Language) -> str:
    columns = [f'<th scope="col">{escape(name)}</th>', f'<th scope="col" class="n">{question.unit.of(language)}</th>']
    rows = "".join(
        f'<tr><th scope="row">{escape(each)}</th><td class="n">{number(value, language, question.digits)}</td></tr>'
        for each, value in sorted(values.items())
    )
    return _table(link(base, question, question.title.of(language)), columns, rows, marked=True)


def _trace(trace: Trace, base: str, language: Language) -> str:
    began = dt.datetime.fromtimestamp(trace.began, dt.UTC).strftime("%H:%M:%S")
    identity, first = escape(trace.identity), escape(trace.spans[0].operation)
    services = ", ".join(dict.fromkeys(each.service for each in trace.spans))
    return (
        f'<tr><td>{began}</td><th scope="row"><a href="/{language}/trace/{identity}">{first}</a></th>'
        f'<td>{escape(services)}</td><td class="n">{len(trace.spans)}</td>'
        f'<td class="n">{number(trace.seconds * 1000, language)}</td>'
        f'<td><a href="{escape(base)}/trace/{identity}">{identity[:8]}</a></td></tr>'
    )


def _table(caption: str, columns: Iterable[str], rows: str, *, marked: bool = False) -> str:
    """A table; `marked`: the caption is HTML already."""
    told = caption if marked else escape(caption)
    return (
        f'<div class="wide" tabindex="0"><table><caption>{told}</caption>'
        f"<thead><tr>{''.join(columns)}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
