"""Reads: a request, its plan, one round trip, and the answer's text."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from contracts.layout import NANOS, written
from contracts.layout_packed import NULL, fragment
from feature.asking import Asked, checked, counted, questions
from feature.errors import EntityWrong, Unreadable
from feature.figures import Figures
from feature.plan import Computed, Plan, Planner, ViewPlan
from feature.rows import EMPTY, EPOCH, PRESENT, Rows, decoded, lines, native, spread, statuses
from feature.wire import Wire, refuse_errors

_SIZES = 1000
"""Sizes of requests whose statuses are kept made."""
_OPEN = b'{"values":['
_SECONDS = len('"1970-01-01T00:00:00')
_text = msgspec.json.Encoder().encode


class Reading:
    """Answers requests.

    Args:
        planner: what there is, compiled.
        wire: the way to Redis.
        figures: what it measures.
        exact: whether statuses say what is missing, null or out of date, or PRESENT for all as Feast does over Redis.
    """

    def __init__(self, planner: Planner, wire: Wire, figures: Figures, *, exact: bool = True) -> None:
        self._planner = planner
        self._wire = wire
        self._figures = figures
        self._exact = exact
        self._entities = frozenset(each.name for each in planner.definitions.entities)
        self._full: dict[int, bytes] = {}
        self._oldest: dict[str, bytes] = {}
        """Of each view with a TTL: how the time of a row begins that is just not out of date."""

    def judge_by(self, newest: float | None) -> None:
        """Judge ages by this instant from now on, seconds since the epoch; None: judge none."""
        views = self._planner.definitions.views if newest is not None else ()
        self._oldest = {
            view.name: b'"' + written(int((newest or 0.0) - view.ttl) * NANOS).encode()[: _SECONDS - 1]
            for view in views
            if view.ttl
        }

    async def answer(self, asked: Asked) -> bytes:
        """The answer's JSON text.

        Raises:
            Refused: the request cannot be served as it is.
            StoreUnavailable: Redis does not answer.
        """
        full = asked.full_feature_names
        if asked.feature_service:
            plan = self._planner.of_service(asked.feature_service, full=full)
        elif asked.features:
            plan = self._planner.of_list(asked.features, full=full)
        else:
            told = "request: it names neither a feature_service nor features"
            raise Unreadable(told, "name a feature service, or features as view:feature")
        number = counted(asked.entities)
        begun = time.perf_counter()
        found = await self._read(plan, asked.entities, number)
        spent = time.perf_counter() - begun
        for each in plan.order:
            self._figures.read(each.view.name, number, spent)
        names, results = _given(self._entities, asked.entities, self._present(number))
        for each in plan.order:
            names += each.names
            self._view(each, found[each.view.name], number, results)
        for computed in plan.computed:
            names.append(computed.name)
            results.append(self._computed(computed, found, asked.entities, number))
        head = b'{"metadata":{"feature_names":' + _text(names)
        if asked.include_feature_view_version_metadata:
            head += b',"feature_view_metadata":' + _text([{"name": each.view.name} for each in plan.order])
        return head + b'},"results":[' + b",".join(results) + b'],"status":true}'

    async def _read(self, plan: Plan, entities: Mapping[str, Sequence[Any]], number: int) -> dict[str, Rows]:
        """Rows of each view, by its name."""
        for each in plan.request:
            if each.name not in entities:
                raise EntityWrong(f"input {each.name} is missing", f"add {each.name} ({each.kind}) to entities")
        asked = [questions(group, entities, number) for group in plan.groups]
        commands = [command for about in asked for command in about.commands]
        answers = await self._wire.ask(b"".join([part for command in commands for part in command]), len(commands))
        found: dict[str, Rows] = {}
        begin = 0
        for group, about in zip(plan.groups, asked, strict=True):
            replies = answers[begin : begin + len(about.commands)]
            begin += len(replies)
            refuse_errors(replies)
            for order, view in enumerate(group.views):
                rows = [lines(view.heads, reply[2 * order], reply[2 * order + 1]) for reply in replies]
                if None in rows:
                    times = [reply[2 * order + 1] for reply in replies]
                    await self._detour(
                        view, rows, times, [group.other(command, view.fields) for command in about.commands]
                    )
                found[view.view.name] = spread(view, rows, about.place)
        return found

    async def _detour(
        self, view: ViewPlan, rows: list[list[bytes] | None], times: Sequence[bytes | None], commands: Sequence[bytes]
    ) -> None:
        """Fill in rows that have a time but no packed copy that counts, from Feast's own fields."""
        there = [n for n, row in enumerate(rows) if row is None and times[n] is not None]
        if not there:
            return
        answers = await self._wire.ask(b"".join([commands[n] for n in there]), len(there))
        refuse_errors(answers)
        for n, answer in zip(there, answers, strict=True):
            rows[n] = decoded(view, answer)
        self._figures.detour(view.view.name, len(there))

    def _present(self, number: int) -> bytes:
        """`["PRESENT", …]` so many times."""
        made = self._full.get(number)
        if made is None:
            if len(self._full) > _SIZES:
                self._full.clear()
            made = self._full[number] = b"[" + b",".join([PRESENT] * number) + b"]"
        return made

    def _view(self, plan: ViewPlan, rows: Rows, number: int, results: list[bytes]) -> None:
        times, missing = rows.columns[0], rows.missing
        old = self._old(plan, rows)
        if missing:
            self._figures.missed(plan.view.name, sum(missing))
        columns = [rows.columns[line] for line in plan.lines]
        end = b'],"event_timestamps":[' + b",".join(times) + b"]}"
        if self._exact and (missing or old or any(NULL in column for column in columns)):
            for column in columns:
                told = b'],"statuses":[' + b",".join(statuses(column, missing, old))
                results.append(_OPEN + b",".join(column) + told + end)
        elif columns:  # all columns end alike: one join
            end = b'],"statuses":' + self._present(number)[:-1] + end
            results.append(_OPEN + (end + b"," + _OPEN).join([b",".join(column) for column in columns]) + end)

    def _old(self, plan: ViewPlan, rows: Rows) -> list[bool] | None:
        """Which rows are out of date; None where none is."""
        oldest = self._oldest.get(plan.view.name)
        if oldest is None:
            return None
        times = rows.columns[0]
        if min(times) >= oldest:
            return None
        missing = rows.missing or [False] * len(times)
        old = [each[:_SECONDS] < oldest and not gone for each, gone in zip(times, missing, strict=True)]
        self._figures.outside(plan.view.name, sum(old))
        return old

    def _computed(
        self, plan: Computed, found: Mapping[str, Rows], entities: Mapping[str, Sequence[Any]], number: int
    ) -> bytes:
        columns: list[Sequence[Any]] = []
        for each in plan.inputs:
            if each.view:
                columns.append(native(each.kind, found[each.view].columns[each.line]))
            else:
                columns.append(checked(each.name, each.kind, entities[each.name]))
        rows = zip(*columns, strict=True) if columns else [()] * number
        try:
            made = [plan.function(*row) for row in rows]
            texts = [fragment(plan.kind, each) for each in made]
        except ArithmeticError as failure:  # an instant beyond any calendar, a number beyond any float
            what = f"feature {plan.name} cannot be computed of these inputs: {failure}"
            raise EntityWrong(what, "give inputs of the size that they have in the world") from None
        told = self._present(number)[:-1]
        if self._exact and NULL in texts:
            told = b"[" + b",".join([EMPTY if each == NULL else PRESENT for each in texts])
        return (
            b'{"values":[' + b",".join(texts) + b'],"statuses":' + told
            + b'],"event_timestamps":[' + b",".join([EPOCH] * number) + b"]}"
        )  # fmt: skip


def _given(
    known: frozenset[str], entities: Mapping[str, Sequence[Any]], present: bytes
) -> tuple[list[str], list[bytes]]:
    """The join keys of the request, which come first in the answer."""
    names = [name for name in entities if name in known]
    results = []
    for name in names:
        values = entities[name]
        times = b",".join([EPOCH] * len(values))
        results.append(
            b'{"values":' + _text(values) + b',"statuses":' + present + b',"event_timestamps":[' + times + b"]}"
        )
    return names, results
