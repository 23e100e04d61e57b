"""The page as a process: it answers without its sources, keeps within its limits, and ends when asked."""

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import yaml

from unit.page.sources import standing

ROOT = Path(__file__).resolve().parents[3]


def _resident(process: "subprocess.Popen[str]") -> int:
    """MiB that a process holds."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmRSS"))) // 1024


def test_it_answers_and_ends_when_asked() -> None:
    """Ready at once; pages and figures over HTTP; within what its chart reserves; SIGTERM ends it with 0."""
    values = yaml.safe_load((ROOT / "platform/helm/page/values.yaml").read_text())
    with standing() as settings:
        env = {
            "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "services"), "TARMAC_PORT": "0", "TARMAC_TRACES": "",
            "TARMAC_PROMETHEUS": settings.prometheus, "TARMAC_JAEGER": settings.jaeger,
        }  # fmt: skip
        command = [sys.executable, "-m", "page"]
        with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) as process:
            try:
                assert process.stderr
                port = next(line["port"] for line in map(json.loads, process.stderr) if line["event"] == "answering")
                with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20, trust_env=False) as client:
                    assert client.get("/readyz").status_code == 200
                    for _ in range(10):
                        assert "delay-boosting" in client.get("/fr").text
                    assert client.get("/figures").json()["weights"]["serving-canary"] == 10
                assert _resident(process) <= int(values["resources"]["requests"]["memory"].removesuffix("Mi"))
                process.terminate()
                assert process.wait(20) == 0
            finally:
                process.kill()
