"""`nthlayer-sync sandbox`, as a person starts it."""

import asyncio
import os
import re
import signal
import socket
import sys

import aiohttp
import yaml


async def start(*words: str) -> asyncio.subprocess.Process:
    command = (sys.executable, "-c", "from nthlayer_sync.cli import main; main()", "sandbox", *words)
    return await asyncio.create_subprocess_exec(
        *command,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "COLUMNS": "40"},
    )


async def test_it_says_what_to_paste_and_stops_when_interrupted(session: aiohttp.ClientSession) -> None:
    process = await start("pagerduty", "datadog", "--port", "0")
    assert process.stdout
    text = ""
    async with asyncio.timeout(30):
        while "Ctrl-C" not in text:
            text += (await process.stdout.readline()).decode()
    exports = dict(re.findall(r"^export (\w+)=(.*)$", text, re.MULTILINE))
    block = re.search(r"^plugins:\n(?: .*\n)+", text, re.MULTILINE)
    assert block
    settings = yaml.safe_load(block[0])["plugins"]
    assert list(settings) == ["datadog", "pagerduty"]
    key = exports[settings["pagerduty"]["token"].removeprefix("env:")]
    headers = {"Authorization": f"Token token={key}"}
    async with session.get(f"{settings['pagerduty']['url']}/users", headers=headers) as answer:
        assert len((await answer.json())["users"]) == 8
    admin = re.search(r"http://\S+/_admin", text)
    assert admin
    async with session.get(f"{admin[0]}/ledger") as answer:
        assert (await answer.json())["traffic"]["pagerduty"]["reads"] == 1
    process.send_signal(signal.SIGINT)
    out, errors = await process.communicate()
    assert (process.returncode, out.decode(), errors) == (0, "Stopped.\n", b"")


async def test_it_refuses_what_cannot_be() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for words, said in ((("nagios",), "there are confluence"), (("--port", port), f"at port {port}")):
            process = await start(*words)
            _, errors = await process.communicate()
            assert process.returncode == 1
            assert said in errors.decode()
            assert b"Traceback" not in errors
