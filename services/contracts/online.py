"""Writes to the online store that cannot go wrong: guarded by event time inside Redis, idempotent, pipelined.

Whoever writes a view does it through `Writer`. A late or replayed row never takes the place of a newer one, the same
row twice is written once, and Feast's fields and the packed copy change in one step. Redis' client enters here and, for
what is no row, in `runtime.online_client`.

Two rows of one entity, view and event time are told apart by their sequence, any number that grows with what the row
contains; rows without one behave as Feast's own: the first of an event time stays.
"""

import hashlib
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import redis
from redis.backoff import ExponentialBackoff
from redis.exceptions import NoScriptError, RedisError
from redis.retry import Retry

from contracts.layout import Unfit, encode_time, encode_value, entity_key, field_of, time_field
from contracts.layout_packed import pack, packed_field
from contracts.online_script import CLOCK, GUARDED
from contracts.views import Definitions, View

ROWS = 500
"""Entities in one pipeline: Redis answers others between two of them."""
_GUARDED_SHA = hashlib.sha1(GUARDED.encode(), usedforsecurity=False).hexdigest()
_CLOCK_SHA = hashlib.sha1(CLOCK.encode(), usedforsecurity=False).hexdigest()


class Unreachable(Exception):
    """Redis does not answer or refuses to write; what was asked can be asked again, all of it."""


class Row(NamedTuple):
    """What is known of one entity in one view.

    Attributes:
        view: the view's name.
        keys: join key -> value.
        nanos: event time, nanoseconds since the epoch (`layout.nanos_of`).
        values: in the order of the view's features, None for unknown.
        sequence: order among rows of one event time, 0 to 2**53 - 1; 0 where the event time says it all.
    """

    view: str
    keys: Mapping[str, Any]
    nanos: int
    values: Sequence[Any]
    sequence: int = 0


class Outcome(NamedTuple):
    """What came of a batch: rows written, rows that were older or the same, rows that a later one of the batch beat."""

    written: int
    stale: int
    superseded: int


def clock_key(project: str) -> str:
    """Hash that holds, for each view, the newest event time and the wall time of the last write (microseconds)."""
    return f"tarmac:clock:{project}"


@dataclass(frozen=True)
class _Compiled:
    """A view, ready to be written."""

    view: View
    kinds: Mapping[str, str]
    time: bytes
    packed: bytes
    mark: bytes
    columns: tuple[tuple[str, str], ...]
    fields: tuple[bytes, ...]

    @classmethod
    def of(cls, definitions: Definitions, view: View) -> Self:
        return cls(
            view,
            {name: definitions.entity(name).kind for name in view.entities},
            time_field(view.name),
            packed_field(view.name),
            view.mark,
            view.columns,
            tuple(field_of(view.name, each.name) for each in view.features),
        )


class Writer:
    """Writes rows.

    Args:
        definitions: what the rows are about.
        host: Redis' host.
        port: its port.
        password: empty for none.
        database: number of the database.
        expiry: seconds after which an entity that nobody writes goes away, as Feast's `key_ttl_seconds`; 0: never.
        patience: seconds to wait for an answer.
    """

    def __init__(  # noqa: PLR0913  where Redis is takes four words
        self,
        definitions: Definitions,
        host: str,
        port: int,
        *,
        password: str = "",
        database: int = 0,
        expiry: int = 0,
        patience: float = 5.0,
    ) -> None:
        self._project = definitions.project
        self._views = {view.name: _Compiled.of(definitions, view) for view in definitions.views}
        self._expiry = expiry
        self._client = redis.Redis(
            host=host,
            port=port,
            db=database,
            password=password or None,
            socket_timeout=patience,
            socket_connect_timeout=patience,
            # All that is sent can be sent again; a lasting failure is the caller's to know.
            retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), 2),
        )

    def write(self, rows: Iterable[Row]) -> Outcome:
        """Write rows in any order; the newest of each entity and view stands in the end.

        Raises:
            Unfit: a row names an unknown view, lacks a key, or holds a value of another type; nothing was written. The
                values of a row that a later one of the batch beats are not looked at.
            Unreachable: Redis is gone or refuses. Some rows may be written; writing all of them again is right.
        """
        newest, total = self._newest(rows)
        entities = [self._arguments(key, views) for key, views in newest.items()]
        written = 0
        for begin in range(0, len(entities), ROWS):
            written += sum(sum(each) for each in self._run(_GUARDED_SHA, GUARDED, entities[begin : begin + ROWS]))
        kept = sum(len(views) for views in newest.values())
        if written:
            self._tick(newest)
        return Outcome(written, kept - written, total - kept)

    def close(self) -> None:
        """Leave Redis."""
        self._client.close()

    def _newest(self, rows: Iterable[Row]) -> tuple[dict[bytes, dict[str, Row]], int]:
        """Entity key -> view -> its newest row; how many rows there were."""
        found: dict[bytes, dict[str, Row]] = {}
        total = 0
        for row in rows:
            total += 1
            views = found.setdefault(self._key(row), {})
            before = views.get(row.view)
            if before is None or (row.nanos, row.sequence) > (before.nanos, before.sequence):
                views[row.view] = row
        return found, total

    def _key(self, row: Row) -> bytes:
        compiled = self._views.get(row.view)
        if compiled is None:
            raise Unfit(f"no view {row.view}; known are {', '.join(sorted(self._views))}")
        missing = [name for name in compiled.kinds if name not in row.keys]
        if missing:
            raise Unfit(f"view {row.view}: no value for entity {', '.join(missing)}")
        try:
            return entity_key(self._project, {name: (kind, row.keys[name]) for name, kind in compiled.kinds.items()})
        except Unfit as failure:
            raise Unfit(f"view {row.view}, entity {', '.join(compiled.kinds)}: {failure}") from None

    def _arguments(self, key: bytes, views: Mapping[str, Row]) -> list[Any]:
        out: list[Any] = [key, self._expiry]
        for row in views.values():
            compiled = self._views[row.view]
            if len(row.values) != len(compiled.fields):
                raise Unfit(f"view {row.view} has {len(compiled.fields)} features, not {len(row.values)}")
            pairs: list[bytes] = []
            for (name, kind), field, value in zip(compiled.columns, compiled.fields, row.values, strict=True):
                try:
                    pairs += (field, encode_value(kind, value))
                except Unfit as failure:
                    raise Unfit(f"feature {row.view}:{name}: {failure}") from None
            packed = pack(compiled.mark, compiled.columns, row.nanos, row.sequence, row.values)
            time_ = encode_time(row.nanos)
            out += (compiled.time, compiled.packed, time_, row.sequence, packed, len(compiled.fields), *pairs)
        return out

    def _tick(self, newest: Mapping[bytes, Mapping[str, Row]]) -> None:
        """Tell readers how far each view is."""
        event: dict[str, int] = {}
        for views in newest.values():
            for row in views.values():
                event[row.view] = max(event.get(row.view, row.nanos), row.nanos)
        wall = time.time_ns() // 1000
        words = [word for view, nanos in event.items() for word in (view, nanos // 1000, wall)]
        self._run(_CLOCK_SHA, CLOCK, [[clock_key(self._project), *words]])

    def _run(self, sha: str, script: str, calls: Sequence[Sequence[Any]]) -> list[Any]:
        try:
            answers = self._pipelined(sha, calls)
            missing = [place for place, each in enumerate(answers) if isinstance(each, NoScriptError)]
            if missing:  # a fresh Redis, or one whose scripts were flushed
                self._client.script_load(script)
                for place, answer in zip(missing, self._pipelined(sha, [calls[n] for n in missing]), strict=True):
                    answers[place] = answer
        except RedisError as failure:
            raise Unreachable(str(failure)) from failure
        for answer in answers:
            if isinstance(answer, RedisError):
                raise Unreachable(str(answer)) from answer
        return answers

    def _pipelined(self, sha: str, calls: Sequence[Sequence[Any]]) -> list[Any]:
        with self._client.pipeline(transaction=False) as pipe:
            for call in calls:
                pipe.evalsha(sha, 1, *call)
            return pipe.execute(raise_on_error=False)
