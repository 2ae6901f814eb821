"""What happens to a delivery: taken once, answered at once, and nothing is done for what is forged."""

import asyncio
import json
from typing import Any

import pytest

from nthlayer_sync.errors import TemporaryError
from nthlayer_sync.sdk.secrets import Secrets
from nthlayer_sync.web.hooks import HOOKS
from nthlayer_sync.web.hooks.brake import BURST, PATIENCE, Brake
from nthlayer_sync.web.hooks.keys import AGAIN, Keys
from nthlayer_sync.web.hooks.receiver import LARGEST
from tests.web.hooks.senders import NOW, SECRETS, STANDARD, Site, signed

EVENTS: dict[str, Any] = {
    "github": {
        "ref": "refs/heads/main",
        "repository": {"html_url": "https://github.com/acme/shop", "default_branch": "main"},
        "commits": [],
    },
    "gitlab": {
        "object_kind": "push",
        "ref": "refs/heads/main",
        "project": {"web_url": "https://gitlab.com/acme/platform/catalog", "default_branch": "main"},
    },
    "backstage": {"entityRefs": ["component:default/shop"]},
    "cortex": {"what": "we made up"},
    "pagerduty": {"event": {"event_type": "service.updated", "agent": None}},
    "alertmanager": {
        "version": "4",
        "alerts": [{"status": "firing", "labels": {"entity": "component:default/shop", "service": "shop"}}],
    },
    "deploy": {"service": "shop", "version": "1.2.3"},
}
SIGNED = [name for name in HOOKS if name not in ("gitlab", "alertmanager")]
MORE = {"github": {"X_GitHub_Event": "push"}}


def sent(system: str) -> bytes:
    return json.dumps(EVENTS[system]).encode()


@pytest.mark.parametrize("system", HOOKS)
async def test_a_delivery_becomes_asks_and_is_taken_once(site: Site, system: str) -> None:
    status, answer = await site.send(system, EVENTS[system], **MORE.get(system, {}))
    assert status == 202, answer
    asked = await site.asked()
    assert sum(map(len, asked.values())) == answer["asked"] > 0
    status, answer = await site.send(system, EVENTS[system], **MORE.get(system, {}))
    assert (status, answer) == (200, {"asked": 0})
    assert not await site.asked()


@pytest.mark.parametrize("system", HOOKS)
async def test_a_delivery_is_taken_once_by_all_replicas(site: Site, system: str) -> None:
    """Another replica, or this one after it was started again, knows of it from the store."""
    key = f"{system} {HOOKS[system].scheme.id(signed(system, sent(system)), sent(system))}"
    assert await site.store.pin("seen", key, b"", NOW + 1000)
    status, answer = await site.send(system, EVENTS[system], **MORE.get(system, {}))
    assert (status, answer) == (200, {"asked": 0})
    assert not await site.asked()


@pytest.mark.parametrize("system", HOOKS)
async def test_forgeries_are_refused_and_leave_no_trace(site: Site, system: str) -> None:
    body = sent(system)
    genuine = signed(system, body)
    other = STANDARD.replace("M", "N") if SECRETS[system] == STANDARD else "another-secret-0123456789"
    forgeries: list[tuple[dict[str, str], bytes]] = [
        ({}, body),
        (signed(system, body, secret=other), body),
        ({name: value[:-1] for name, value in genuine.items()}, body),
        (dict.fromkeys(genuine, ""), body),
        (dict.fromkeys(genuine, "x" * 5000), body),
    ]
    if system in SIGNED:
        forgeries += [(genuine, body[:-1]), (genuine, body + b" "), (genuine, b""), (genuine, b"x" * 100_000)]
    for headers, forged in forgeries:
        status, problem = await site.post(system, headers, forged)
        assert status == 401, headers
        assert problem["type"].endswith("login-needed")
        assert SECRETS[system] not in json.dumps(problem)
    assert await site.untouched()


@pytest.mark.parametrize("system", ["backstage", "deploy", "cortex"])
@pytest.mark.parametrize("away", [-301, 301, 86400, -86400])
async def test_a_time_far_from_ours_is_refused(site: Site, system: str, away: float) -> None:
    body = sent(system)
    status, _ = await site.post(system, signed(system, body, NOW + away), body)
    assert status == 401
    assert await site.untouched()
    status, _ = await site.post(system, signed(system, body, NOW + away / abs(away) * 299), body)
    assert status == 202


async def test_a_replay_with_another_id_is_a_replay(site: Site) -> None:
    """The delivery id of GitHub is not signed."""
    body = sent("github")
    for number in range(5):
        headers = signed("github", body, number=str(number)) | {"X-GitHub-Event": "push"}
        status, answer = await site.post("github", headers, body)
        assert (status, answer["asked"] > 0) == ((202, True) if number == 0 else (200, False))


async def test_verdicts_are_counted(site: Site) -> None:
    for _ in range(2):
        await site.send("deploy", EVENTS["deploy"])
    await site.post("deploy", {}, b"{}")
    await site.send("deploy", {"service": "a:b:c", "version": "1"})
    await site.post("bitbucket", {}, b"{}")
    counted = {
        tuple(sorted(sample.labels.values())): sample.value
        for family in site.metrics.registry.collect()
        if family.name == "nthlayer_webhooks"
        for sample in family.samples
    }
    verdicts = ("accepted", "repeated", "forged", "refused")
    assert counted == {tuple(sorted(("deploy", verdict))): 1.0 for verdict in verdicts}


async def test_gitlab_names_what_it_sends_again(site: Site) -> None:
    """Its bodies have no time in them: a branch that is moved back and forth gives the same one twice."""
    for key, expected in (("a", 202), ("a", 200), ("b", 202)):
        assert (await site.send("gitlab", EVENTS["gitlab"], Idempotency_Key=key))[0] == expected


async def test_a_replay_costs_the_store_nothing(site: Site) -> None:
    await site.send("deploy", EVENTS["deploy"])
    before = len(await site.store.events(0))
    await asyncio.gather(*(site.send("deploy", EVENTS["deploy"]) for _ in range(50)))
    assert site.past.count(202) == 1
    assert len(await site.store.events(0)) == before == 1


async def test_it_may_come_again_when_asking_failed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    ask = site.store.work.ask

    async def fail(*_: object) -> None:
        raise TemporaryError("the file is locked")

    monkeypatch.setattr(site.store.work, "ask", fail)
    status, _ = await site.send("deploy", EVENTS["deploy"])
    assert status == 503
    monkeypatch.setattr(site.store.work, "ask", ask)
    status, _ = await site.send("deploy", EVENTS["deploy"])
    assert status == 202
    assert await site.asked() == {"subject": {"component:default/shop"}}


@pytest.mark.parametrize("system", HOOKS)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"x"',
        b"null",
        b"\xff\xfe",
        b"{}" * 9,
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"x":' + b"9" * 9999 + b"}",
    ],
    ids=["empty", "cut", "list", "text", "null", "no text", "two", "deep list", "deep map", "number"],
)
async def test_junk_that_is_signed_is_refused_in_words(site: Site, system: str, body: bytes) -> None:
    status, problem = await site.send(system, body, **MORE.get(system, {}))
    if system == "cortex":  # its body is the organisation's own
        assert status == 202
        return
    if system == "gitlab" and status == 202:  # no event that we know
        assert problem == {"asked": 0}
        return
    assert status == 400, problem
    assert "body" in problem["detail"]
    assert await site.untouched()


@pytest.mark.parametrize("system", HOOKS)
async def test_too_much_is_refused(site: Site, system: str) -> None:
    large = b'{"x":"' + b"y" * LARGEST + b'"}'
    status, _ = await site.send(system, large)
    assert status == 413

    async def pieces() -> Any:
        for start in range(0, len(large), 65536):
            yield large[start : start + 65536]

    headers = {"Content-Type": "application/json", **signed(system, large)}
    async with site.session.post(f"{site.url}/hooks/{system}", headers=headers, data=pieces()) as answer:
        assert answer.status == 413  # nor without saying how much it is
    assert await site.untouched()


async def test_as_much_as_may_be_is_taken(site: Site) -> None:
    event = EVENTS["deploy"] | {"notes": "x" * (LARGEST - 100)}
    status, _ = await site.send("deploy", event)
    assert status == 202


async def test_a_slow_body_is_given_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nthlayer_sync.web.hooks.receiver.BODY_TIMEOUT", 0.05)
    body = sent("deploy")
    host, port = site.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    lines = [f"{name}: {value}" for name, value in signed("deploy", body).items()]
    head = "\r\n".join(["POST /hooks/deploy HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *lines, "", ""])
    writer.write(head.encode() + body[:-1])
    assert b"408" in await asyncio.wait_for(reader.readline(), 5.0)
    writer.close()
    assert await site.untouched()


async def test_only_json_is_taken(site: Site) -> None:
    status, problem = await site.send("deploy", EVENTS["deploy"], Content_Type="application/x-www-form-urlencoded")
    assert (status, "application/json" in problem["detail"]) == (415, True)
    status, _ = await site.send("deploy", EVENTS["deploy"], Content_Type="application/json; charset=utf-8")
    assert status == 202


async def test_a_system_without_a_secret_is_not_there(site: Site) -> None:
    assert (await site.post("bitbucket", {}, b"{}"))[0] == 404
    async with site.session.get(f"{site.url}/hooks/github") as answer:
        assert answer.status == 405


@pytest.mark.parametrize("system", HOOKS)
async def test_a_secret_is_replaced_without_a_restart(site: Site, system: str) -> None:
    new = "whsec_" + "A" * 43 + "=" if SECRETS[system] == STANDARD else "new-secret-0123456789"
    body = sent(system)

    async def status(secret: str, number: int) -> int:
        varied = body[:-1] + b' "n": %d}' % number if body != b"{}" else body
        varied = body.replace(b"{", b'{"n": %d, ' % number, 1)
        headers = signed(system, varied, site.clock.now, secret) | {"X-GitHub-Event": "push"}
        return (await site.post(system, headers, varied))[0]

    assert await status(SECRETS[system], 1) == 202
    site.secret(system, f"{SECRETS[system].replace(' ', '-')} {new}" if system == "github" else new)
    assert await status(new, 2) == 401  # for a minute the old one holds
    site.clock.now += 61
    assert await status(new, 3) == 202
    assert await status(SECRETS[system], 4) == 401


async def test_two_secrets_hold_while_one_is_replaced(site: Site) -> None:
    new = "whsec_" + "A" * 43 + "="
    site.secret("deploy", f"{STANDARD} {new}")
    for number, secret in enumerate((STANDARD, new)):
        body = json.dumps(EVENTS["deploy"] | {"n": number}).encode()
        assert (await site.post("deploy", signed("deploy", body, secret=secret), body))[0] == 202


async def test_a_secret_that_is_not_at_hand_is_our_trouble_and_asked_for_seldom(site: Site) -> None:
    (site.files / "deploy").unlink()
    for _ in range(3):
        status, problem = await site.send("deploy", EVENTS["deploy"])
        assert status == 503
        assert str(site.files) not in json.dumps(problem)
    assert await site.untouched()

    looked = 0

    class Counting(Secrets):
        async def value(self, ref: str) -> str:
            nonlocal looked
            looked += 1
            return await super().value(ref)

    now = 0.0
    keys = Keys(Counting(), lambda: now)
    for _ in range(100):
        with pytest.raises(TemporaryError):
            await keys.of(HOOKS["deploy"], f"file:{site.files / 'deploy'}")
    assert looked == 1
    now = AGAIN
    site.secret("deploy", STANDARD)
    assert await keys.of(HOOKS["deploy"], f"file:{site.files / 'deploy'}") == (STANDARD,)


async def test_too_many_refusals_are_cut_short(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nthlayer_sync.web.hooks.brake.PATIENCE", -1.0)
    async with site.session.post(f"{site.url}/hooks/github", data=b"{}") as answer:
        assert (answer.status, answer.headers["Retry-After"], answer.headers["Connection"]) == (429, "5", "close")
    assert (await site.send("deploy", EVENTS["deploy"]))[0] == 202  # who proves himself is not held up
    assert (await site.send("deploy", EVENTS["deploy"]))[0] == 429


async def test_so_much_is_here_at_once_and_no_more(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nthlayer_sync.web.hooks.receiver.HELD", 1000)
    for _ in range(3):  # what was refused is not held any more
        assert (await site.send("deploy", EVENTS["deploy"] | {"notes": "x" * 2000}))[0] == 503
        assert (await site.send("deploy", EVENTS["deploy"]))[0] in (200, 202)


async def test_who_hangs_up_while_we_ask_may_come_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    asking, given_up = asyncio.Event(), asyncio.Event()
    ask, unpin = site.store.work.ask, site.store.unpin

    async def hang(*_: object) -> None:
        asking.set()
        await asyncio.Event().wait()

    async def note(*words: Any) -> None:
        await unpin(*words)
        given_up.set()

    monkeypatch.setattr(site.store.work, "ask", hang)
    monkeypatch.setattr(site.store, "unpin", note)
    sending = asyncio.create_task(site.send("deploy", EVENTS["deploy"]))
    await asking.wait()
    sending.cancel()
    await asyncio.wait_for(given_up.wait(), 5.0)
    monkeypatch.setattr(site.store.work, "ask", ask)
    assert (await site.send("deploy", EVENTS["deploy"]))[0] == 202


async def test_the_brake_lets_a_burst_through_and_bounds_who_waits() -> None:
    now, slept = 0.0, list[float]()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    brake = Brake(100.0, now=lambda: now, sleep=sleep)
    assert all([await brake.hold() for _ in range(BURST + 1)])
    assert max(slept, default=0.0) < 1e-6
    slept.clear()
    answers = [await brake.hold() for _ in range(10_000)]
    assert sum(answers) == len(slept) == pytest.approx(100.0 * PATIENCE, abs=2)
    assert max(slept) <= PATIENCE
    now = 3600.0  # whoever was quiet has his burst again, and no more
    slept.clear()
    assert all([await brake.hold() for _ in range(BURST + 1)])
    assert max(slept, default=0.0) < 1e-6
    assert await brake.hold(1 << 20)
    before = slept[-1]
    assert await brake.hold()
    assert slept[-1] - before == pytest.approx(65 / 100.0)  # a large body costs more


@pytest.mark.parametrize(
    ("framing", "sent"),
    [
        ("Content-Length: 100", b"{}"),
        ("Transfer-Encoding: chunked", b"5\r\n{}"),
        ("Transfer-Encoding: chunked", b"zz\r\n{}\r\n"),
    ],
    ids=["cut", "chunk cut", "no chunk"],
)
async def test_a_body_that_breaks_off_is_no_error_of_ours(
    site: Site, framing: str, sent: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    host, port = site.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    lines = [f"{name}: {value}" for name, value in signed("deploy", b"{}").items()]
    writer.write("\r\n".join(["POST /hooks/deploy HTTP/1.1", "Host: x", framing, *lines, "", ""]).encode() + sent)
    writer.write_eof()
    line = await asyncio.wait_for(reader.readline(), 15.0)
    assert line == b"" or b" 400 " in line
    writer.close()
    await writer.wait_closed()
    assert (await site.send("deploy", EVENTS["deploy"]))[0] == 202
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err + captured.out
