"""The runtime in front of runc: what it takes out of a container's specification, and nothing else."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lab.cluster import runtime

_PROCESS: dict[str, Any] = {
    "args": ["/sbin/init"],
    "oomScoreAdj": -999,
    "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1048576, "soft": 1048576}],
    "capabilities": {
        "bounding": ["CAP_CHOWN", "CAP_SYS_RESOURCE"],
        "effective": ["CAP_SYS_RESOURCE"],
        "ambient": [],
    },
    "env": ["A=b"],
}


def test_what_the_host_cannot_grant_is_taken_out_and_nothing_else() -> None:
    """The capability, the limits and the lowered score go; arguments, environment, other capabilities stay."""
    assert runtime.relaxed(_PROCESS) == {
        "args": ["/sbin/init"],
        "env": ["A=b"],
        "oomScoreAdj": 0,
        "capabilities": {"bounding": ["CAP_CHOWN"], "effective": [], "ambient": []},
    }


@pytest.mark.parametrize("process", [{}, {"capabilities": None}, {"args": ["sh"]}])
def test_a_process_without_wishes_stays_as_it_is(process: dict[str, Any]) -> None:
    """Where nothing was asked for, only the score is set."""
    assert runtime.relaxed(process) == {**process, "oomScoreAdj": 0}


@pytest.mark.parametrize("form", ["--bundle {}", "--bundle={}"])
def test_a_bundle_is_rewritten_before_runc_reads_it(tmp_path: Path, form: str) -> None:
    """The bundle of a `create` is relaxed when runc, which gets the same words, begins."""
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    (bundle / "config.json").write_text(json.dumps({"process": _PROCESS, "root": {"path": "rootfs"}}))
    words = ["--root", "/run/x", "create", *form.format(bundle).split(), "name"]
    assert _run(tmp_path, words) == words
    content = json.loads((bundle / "config.json").read_text())
    assert content == {"process": runtime.relaxed(_PROCESS), "root": {"path": "rootfs"}}


def test_the_process_of_an_exec_is_rewritten(tmp_path: Path) -> None:
    """`docker exec --privileged` hands its process over in a file: it is relaxed too."""
    process = tmp_path / "process.json"
    process.write_text(json.dumps(_PROCESS))
    words = ["exec", "--process", str(process), "name"]
    assert _run(tmp_path, words) == words
    assert json.loads(process.read_text()) == runtime.relaxed(_PROCESS)


def test_other_commands_change_no_file(tmp_path: Path) -> None:
    """`delete` and the like go straight to runc."""
    (tmp_path / "config.json").write_text(json.dumps({"process": _PROCESS}))
    words = ["delete", "--bundle", str(tmp_path), "name"]
    assert _run(tmp_path, words) == words
    assert json.loads((tmp_path / "config.json").read_text()) == {"process": _PROCESS}


def _run(folder: Path, words: list[str]) -> list[str]:
    """Run the program as dockerd does, with a runc that says what it got."""
    runc = folder / "runc"
    runc.write_text('#!/bin/sh\nfor word; do echo "$word"; done\n')
    runc.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-I", runtime.__file__, *words],
        env={"PATH": f"{folder}:{os.environ['PATH']}"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.splitlines()
