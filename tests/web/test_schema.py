"""Schemathesis walks the whole API of a daemon on the sample organisation, and finds nothing."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.web.api.conftest import served

CHECKS = ",".join(
    (
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
        "negative_data_rejection",
        "missing_required_header",
        "unsupported_method",
        "allow_header_conformance",
        "use_after_free",
        "ensure_resource_availability",
    )
)
"""All but those of logins, of which a daemon that knows nobody has none, and `positive_data_acceptance`: a reference
that looks right may be one of nothing, and is refused.
"""


@pytest.mark.timeout(400)
async def test_it_finds_nothing(tmp_path: Path) -> None:
    async with served(tmp_path / "demo") as site:
        found = (await site.client.get("/api/v1/openapi.json")).json
        # They have no end.
        streams = [
            path
            for path, methods in found["paths"].items()
            if any("text/event-stream" in str(method["responses"]) for method in methods.values())
        ]
        assert len(found["paths"]) > len(streams) + 1
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "schemathesis.cli", "run", f"{site.client.url}/api/v1/openapi.json",
            "--checks", CHECKS, "--max-examples", "10", "--seed", "1", "--request-timeout", "20", "--no-color",
            "--continue-on-failure", "--exclude-path-regex", f"^({'|'.join(streams)})$",
            cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        try:
            said, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert process.returncode == 0, said.decode()[-20_000:]
