"""A connection to an API server, and where on it the objects of a kind are."""

from __future__ import annotations

import threading
from functools import cached_property
from pathlib import Path

import urllib3
from kubernetes import client, config, dynamic
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic.exceptions import ResourceNotFoundError
from kubernetes.dynamic.resource import Resource

from lab.refusals import silent
from lab.settings import Settings


class Connection:
    """A connection to a cluster's API server.

    Args:
        settings: whose kubeconfig leads there, never the user's own.

    Raises:
        NotConverged: the API server does not answer.

    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client = _connect(settings.kubeconfig)
        self._dynamic = _discover(self._client, settings)
        # What is not known yet makes the client forget all kinds and discover them anew: one question at a time.
        self._searching = threading.Lock()

    @cached_property
    def _core(self) -> client.CoreV1Api:
        # Made when needed: importing its hundreds of models takes seconds, and only a failure asks for them.
        return client.CoreV1Api(self._client)

    def _resource(self, kind: str, version: str | None = None) -> Resource:
        wanted = {"kind": kind} | ({"api_version": version} if version else {})
        with self._searching:
            known = self._dynamic.resources.search(**wanted)
        found = [each for each in known if each.preferred or version or each.group_version == "v1"]
        if not found:
            raise ResourceNotFoundError(kind)
        # Some kinds live in two groups (Event); the core one is what we mean.
        return next((each for each in found if each.group_version == "v1"), found[0])


def _connect(kubeconfig: Path) -> client.ApiClient:
    try:
        connection = config.new_client_from_config(str(kubeconfig))
    except (config.ConfigException, OSError) as error:
        raise silent(str(error)) from error
    connection.configuration.retries = urllib3.Retry(3, backoff_factor=0.3)
    return connection


def _discover(connection: client.ApiClient, settings: Settings) -> dynamic.DynamicClient:
    try:
        return dynamic.DynamicClient(connection, cache_file=str(settings.folder / "discovery.json"))
    except (urllib3.exceptions.HTTPError, ApiException, OSError) as error:
        raise silent(str(error)) from error
