"""Real servers on free ports, with folders of their own."""

import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen


def free_address() -> str:
    """An address that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


@contextmanager
def running(command: Sequence[str], address: str, log: Path) -> Iterator[str]:
    """A server until the block ends; gives its base address once it is ready."""
    url = f"http://{address}"
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
        try:
            deadline = time.monotonic() + 60
            while not ready(url):
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
            yield url
        finally:
            process.terminate()
            process.wait(timeout=20)


def ready(url: str) -> bool:
    """Whether the server says that it is."""
    try:
        with urlopen(f"{url}/-/ready", timeout=2) as answer:
            return answer.status == 200
    except (URLError, OSError):
        time.sleep(0.05)
        return False
