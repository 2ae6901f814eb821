"""A real Prometheus loads all rules and evaluates them on series that were there before it started."""

import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

import yaml

from tests.plugins.prometheus.conftest import write

HOSTILE_NAME = 'a"b\\c\n{{ $value }} or vector(1) } #é'
MINUTES = 100


def openmetrics(service: str, end: int) -> str:
    """A hundred minutes in which one of ten requests fails and one of two is slow."""
    escaped = service.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    rows = {
        f'http_requests_total{{service="{escaped}",code="200"}}': 540,
        f'http_requests_total{{service="{escaped}",code="500"}}': 60,
        f'http_request_duration_seconds_count{{service="{escaped}"}}': 600,
        f'http_request_duration_seconds_bucket{{service="{escaped}",le="0.2"}}': 300,
        f'http_request_duration_seconds_bucket{{service="{escaped}",le="+Inf"}}': 600,
    }
    start = end - MINUTES * 60
    lines = [f"{series} {each * n} {start + n * 60}" for series, each in rows.items() for n in range(MINUTES + 1)]
    return "\n".join(lines) + "\n"


@contextmanager
def running(program: str, folder: Path) -> Iterator[str]:
    """Prometheus on a free port; gives its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    config = {"global": {"evaluation_interval": "1s"}, "rule_files": sorted(map(str, folder.glob("*/*.rules.yaml")))}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    command = [program, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    log = (folder / "log").open("wb")
    process = subprocess.Popen([*command, f"--web.listen-address={address}"], stderr=log, stdout=log)
    try:
        yield f"http://{address}/api/v1/"
    finally:
        process.terminate()
        process.wait(timeout=20)
        log.close()


def ask(url: str) -> Any:
    with urlopen(url, timeout=5) as answer:
        return json.load(answer)["data"]


def wait_for(what: Callable[[], Any], seconds: float = 60) -> Any:
    """The first true answer."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if found := what():
                return found
        except OSError:
            pass
        time.sleep(0.2)
    raise AssertionError("Prometheus did not get there in time")


def test_prometheus_evaluates_every_rule(tool: Callable[[str], str], tmp_path: Path) -> None:
    needed = [
        {"ref": f"resource:default/{name}", "name": name, "kind": "resource", "technology": name}
        for name in ("postgresql", "mysql", "mongodb", "redis", "memcached", "kafka", "rabbitmq", "elasticsearch")
    ]
    own = [{"name": "Slow", "when": "p95 > 300ms", "for": "0s", "severity": "page", "summary": "{{ slow }}"}]
    words = {"tier": "1", "depends_on": needed, "blueprint": {"observability": {"alerts": own}}}
    services = {"payments": words | {"name": "payments"}, "odd": words | {"name": HOSTILE_NAME}}
    for folder, given in services.items():
        write(tmp_path / folder, given, "slo_rules", "alert_rules")

    end = int(time.time())
    texts = [openmetrics(given["name"], end) for given in services.values()]
    (tmp_path / "series.txt").write_text("".join(texts) + "# EOF\n")
    blocks = ["tsdb", "create-blocks-from", "openmetrics", str(tmp_path / "series.txt"), str(tmp_path / "data")]
    subprocess.run([tool("promtool"), *blocks], check=True, capture_output=True, timeout=60)

    with running(tool("prometheus"), tmp_path) as api:

        def evaluated() -> list[dict[str, Any]]:
            rules = [rule for group in ask(f"{api}rules")["groups"] for rule in group["rules"]]
            return rules if rules and all(rule["health"] != "unknown" for rule in rules) else []

        def burning() -> list[dict[str, Any]]:
            expr = 'ALERTS{alertname="ErrorBudgetBurn",window="1h",slo="availability",alertstate="firing"}'
            found = ask(f"{api}query?query={quote(expr)}")["result"]
            return found if len(found) == 2 else []

        rules = wait_for(evaluated)
        assert {rule["health"] for rule in rules} == {"ok"}, [r["lastError"] for r in rules if r["health"] != "ok"]
        fired = {series["metric"]["service"]: series["metric"] for series in wait_for(burning)}
        assert fired["payments"]["severity"] == "page"
        assert fired["payments"]["owner"] == "group:default/payments-team"
        share = 'slo:error_ratio:rate1h{slo="availability"}'
        remaining = ask(f"{api}query?query={quote(share)}")
        assert HOSTILE_NAME in {series["metric"]["service"] for series in remaining["result"]}
        texts = [text for alert in ask(f"{api}alerts")["alerts"] for text in alert["annotations"].values()]
        assert texts
        assert not [text for text in texts if "error expanding" in text]
