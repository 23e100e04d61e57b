"""Brings MLflow's database up to the version of this image, one pod at a time; again does nothing.

Pods that start side by side would both make the tables: whoever comes second waits at a lock of the database, which
goes with the connection of its holder, however that ends. The default experiment is made under the same lock.
"""

from __future__ import annotations

import os
import subprocess
import sys

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

ADDRESS = os.environ["MLFLOW_BACKEND_STORE_URI"]
LOCK = int.from_bytes(b"mlflow", "big")
"""Number of the lock; anything that nobody else of this database takes."""
SECONDS = int(os.environ.get("MIGRATE_SECONDS", "300"))


def migrate() -> None:
    """Run MLflow's own migration, which also fills an empty database.

    Raises:
        subprocess.CalledProcessError: it failed; its own words are on standard error.
    """
    subprocess.run([sys.executable, "-m", "mlflow", "db", "upgrade", ADDRESS], check=True)


def begin() -> None:
    """Make what MLflow makes at its first start."""
    # Seconds of import, which only the holder of the lock takes at a time.
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    SqlAlchemyStore(ADDRESS, "mlflow-artifacts:/")


if __name__ == "__main__":
    with create_engine(ADDRESS, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text(f"SET lock_timeout = '{SECONDS}s'"))
        connection.execute(text("SELECT pg_advisory_lock(:number)"), {"number": LOCK})
        migrate()
        begin()
