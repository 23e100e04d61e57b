"""Brings MLflow's database up to the version of this image, one pod at a time; again does nothing.

Pods that start side by side would both make the tables: whoever comes second waits at a lock of the database, which
goes with the connection of its holder, however that ends. The default experiment is made under the same lock.
"""

from __future__ import annotations

import importlib.util
import os
import re
import time
from pathlib import Path

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

ADDRESS = os.environ["MLFLOW_BACKEND_STORE_URI"]
LOCK = int.from_bytes(b"mlflow", "big")
"""Number of the lock; anything that nobody else of this database takes."""
SECONDS = int(os.environ.get("MIGRATE_SECONDS", "300"))
REFUSED = re.compile("FATAL(?!.*(starting up|shutting down))")
"""What a database says to whom no waiting helps."""
REVISION = re.compile(r"^(down_)?revision\s*(?::[^=]*)?=\s*[\"'](\w+)[\"']", re.MULTILINE)


def connected() -> Connection:
    """Return a connection to the database, once it answers; it may start beside this pod."""
    engine = create_engine(
        ADDRESS, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 5}
    )
    deadline, told = time.monotonic() + SECONDS, ""
    while True:
        try:
            return engine.connect()
        except OperationalError as error:
            why = str(error.orig)
            if REFUSED.search(why) or time.monotonic() > deadline:
                raise
            if why != told:
                print(f"waiting for the database: {why}", flush=True)
                told = why
            time.sleep(0.2)


def newest() -> str:
    """Return the newest version of the tables that this image's MLflow knows.

    Its migrations are read, not imported: that would take seconds at each start, mostly to find that all is done.
    """
    found = importlib.util.find_spec("mlflow")
    if found is None or not found.submodule_search_locations:
        raise SystemExit("this image holds no MLflow: build it anew")
    versions = Path(found.submodule_search_locations[0]) / "store" / "db_migrations" / "versions"
    told = [match for path in versions.glob("*.py") for match in REVISION.findall(path.read_text())]
    every, older = ({name for down, name in told if bool(down) is which} for which in (False, True))
    (newest,) = every - older
    return newest


def done(connection: Connection) -> bool:
    """Say whether the tables are of the newest version, and what MLflow makes at its first start is there."""
    if not connection.execute(text("SELECT to_regclass('alembic_version') IS NOT NULL")).scalar():
        return False
    at = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    first = "SELECT count(*) FROM experiments WHERE experiment_id = 0"
    return at == [newest()] and bool(connection.execute(text(first)).scalar())


def migrate() -> None:
    """Do what `mlflow db upgrade` does, which also fills an empty database, and make the default experiment."""
    from mlflow.db import upgrade
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    upgrade.callback(ADDRESS)
    SqlAlchemyStore(ADDRESS, "mlflow-artifacts:/")


if __name__ == "__main__":
    with connected() as connection:
        connection.execute(text(f"SET lock_timeout = '{SECONDS}s'"))
        connection.execute(text("SELECT pg_advisory_lock(:number)"), {"number": LOCK})
        if done(connection):
            print("the database is up to date")
        else:
            migrate()
