"""Addresses: what Git may be given, and that no secret is shown."""

import base64

import pytest

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.git import redact
from nthlayer_sync.git.address import read_address

ALL = ("https", "http", "ssh", "file")


@pytest.mark.parametrize(
    ("url", "protocol", "clean"),
    [
        ("https://git.example.org/team/service.git", "https", "https://git.example.org/team/service.git"),
        ("https://git.example.org:8443/a", "https", "https://git.example.org:8443/a"),
        ("https://[::1]:8443/a", "https", "https://[::1]:8443/a"),
        ("git@git.example.org:team/service.git", "ssh", "git@git.example.org:team/service.git"),
        ("ssh://git@git.example.org:2222/a.git", "ssh", "ssh://git@git.example.org:2222/a.git"),
        ("ssh://git:secret@git.example.org/a.git", "ssh", "ssh://git@git.example.org/a.git"),
        ("/srv/git/a.git", "file", "/srv/git/a.git"),
        ("file:///srv/git/a.git", "file", "file:///srv/git/a.git"),
        ("/srv/with:colon/a.git", "file", "/srv/with:colon/a.git"),
    ],
)
def test_allowed(url: str, protocol: str, clean: str) -> None:
    address = read_address(url, ALL)
    assert (address.protocol, address.url) == (protocol, clean)
    assert "secret" not in address.url


@pytest.mark.parametrize(
    "url",
    [
        *("", " ", "-oProxyCommand=x", "--upload-pack=touch x", "ext::sh -c touch% x", "fd::7", "https::https://a/b"),
        *("ssh://-oProxyCommand=x/a", "ssh://-l@host/a", "git@-oProxyCommand=x:a", "-host:a", "git@host:-a", "a::b"),
        *(
            "https://",
            "https:///a",
            "https://ho st/a",
            "https://host/a\nb",
            "https://host/\x1b[1m",
            "https://host/a?x=1",
        ),
        *("ftp://host/a", "git://host/a", "rsync://host/a", "javascript://a/b", "file://host/a", "https://a:port/b"),
    ],
)
def test_refused(url: str) -> None:
    with pytest.raises(PermanentError):
        read_address(url, ALL)


@pytest.mark.parametrize("url", ["/srv/a.git", "relative/a.git", "../a", "file:///srv/a.git", "http://host/a"])
def test_only_allowed_protocols(url: str) -> None:
    with pytest.raises(PermanentError, match="not allowed here; allowed: https, ssh"):
        read_address(url, ("https", "ssh"))


def test_credentials_leave_the_address() -> None:
    address = read_address("https://bot:t%40ken%2F1@git.example.org/a.git", ALL)
    assert address.url == "https://git.example.org/a.git"
    assert "ken" not in repr(address)
    header = base64.b64encode(b"bot:t@ken/1").decode()
    assert address.secret == {"http.https://git.example.org/.extraHeader": f"Authorization: Basic {header}"}


def test_redact() -> None:
    assert (
        redact("fatal: https://bot:pw@host/a and ssh://git:pw@host\x1b[31m")
        == "fatal: https://host/a and ssh://host [31m"
    )
    assert len(redact("x" * 100_000)) == 2000


def test_refusal_hides_credentials() -> None:
    with pytest.raises(PermanentError) as caught:
        read_address("ftp://bot:hunter2@host/a", ALL)
    assert "hunter2" not in str(caught.value)
