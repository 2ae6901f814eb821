"""What deliveries mean: bodies as the vendors' documents show them, and what is asked for then."""

from typing import Any

import pytest

from nthlayer_sync.sdk.work import Topic
from nthlayer_sync.settings import Settings
from nthlayer_sync.web.hooks.hook import Asks, quoted
from nthlayer_sync.web.hooks.landscape import Landscape, repository_of
from nthlayer_sync.web.hooks.receiver import MOST_KEYS, bounded
from tests.web.hooks.senders import AUTHOR, SETTINGS, Site

SHOP = "https://github.com/acme/shop"
CATALOG = "https://github.com/acme/catalog"
SOMEBODY = {"name": "Ada", "email": "ada@acme.example", "username": "ada"}
US = {"name": "nthlayer-sync", "email": AUTHOR.upper()}


def commit(*files: str, author: Any = SOMEBODY, committer: Any = SOMEBODY) -> dict[str, Any]:
    """As https://docs.github.com/en/webhooks/webhook-events-and-payloads#push shows it."""
    return {"id": "a" * 40, "message": "x", "author": author, "committer": committer, "added": [], "removed": [],
            "modified": list(files)}  # fmt: skip


def push(url: str = SHOP, *commits: Any, ref: str = "refs/heads/main") -> dict[str, Any]:
    repository = {"id": 1, "full_name": "acme/shop", "html_url": url, "default_branch": "main", "private": True}
    return {"ref": ref, "before": "0" * 40, "after": "a" * 40, "repository": repository, "pusher": {"name": "ada"},
            "commits": list(commits), "forced": False}  # fmt: skip


def pull_request(action: str, url: str = SHOP, branch: str = "fix", fork: str = SHOP, **more: Any) -> dict[str, Any]:
    head = {"ref": branch, "sha": "a" * 40, "repo": {"html_url": fork}}
    request = {"number": 12, "state": "open", "merged": False, "head": head, "base": {"ref": "main"}, **more}
    repository = {"full_name": "acme/shop", "html_url": url, "default_branch": "main"}
    return {"action": action, "number": 12, "pull_request": request, "repository": repository}


AUDIT_SHOP = {"git https://github.com/acme/shop"}


@pytest.mark.parametrize(
    ("event", "asked"),
    [
        (push(SHOP, commit("src/main.py")), {"audit": AUDIT_SHOP}),
        (push("https://github.com/Acme/Shop", commit("src/main.py")), {"audit": AUDIT_SHOP}),
        (push(SHOP, commit("api/catalog-info.yaml")), {"audit": AUDIT_SHOP, "look": {"portal", "checkout"}}),
        (push(SHOP, commit("nthlayer.yaml")), {"audit": AUDIT_SHOP, "look": {"portal", "checkout"}}),
        (push(SHOP, commit("own/teams.yaml")), {"audit": AUDIT_SHOP, "look": {"checkout"}}),
        (push(SHOP), {"audit": AUDIT_SHOP, "look": {"portal", "checkout"}}),  # moved back: anything may differ
        (push(CATALOG, commit("README.md")), {"look": {"catalog"}}),
        (push("https://github.com/acme/mirrored", commit("a")), {"audit": {"git https://mirror.example/acme/mirrored"}}),
        (push("https://github.com/acme/unknown", commit("a")), {}),
        (push("https://gitlab.com/acme/shop", commit("a")), {}),
        (push(SHOP, commit("a"), ref="refs/heads/feature"), {}),
        (push(SHOP, commit("a"), ref="refs/tags/main"), {}),
        (push(SHOP, commit("a"), ref="refs/heads/nthlayer-sync"), {}),
        (push(SHOP, commit("a", author=US, committer=US), commit("b", author=US, committer=US)), {}),
        (push(SHOP, commit("a", author=US, committer=US), commit("b")), {"audit": AUDIT_SHOP}),
        (push(SHOP, commit("a", author=US)), {"audit": AUDIT_SHOP}),  # ours, that somebody merged by rebasing
    ],
)  # fmt: skip
async def test_a_push_to_github(site: Site, event: Any, asked: dict[str, set[str]]) -> None:
    status, answer = await site.send("github", event, X_GitHub_Event="push")
    assert (status, answer["asked"]) == (202, sum(map(len, asked.values())))
    assert await site.asked() == asked


PULL = {"pull": {"github.com/acme/shop#12"}}
MERGED = {"audit": AUDIT_SHOP, "look": {"portal", "checkout"}}


@pytest.mark.parametrize(
    ("event", "asked"),
    [
        (pull_request("opened"), PULL),
        (pull_request("synchronize"), PULL),
        (pull_request("reopened"), PULL),
        (pull_request("labeled"), {}),
        (pull_request("closed"), {}),
        (pull_request("closed", merged=True), MERGED),
        (pull_request("opened", branch="nthlayer-sync"), {}),
        (pull_request("opened", branch="nthlayer-sync", fork="https://github.com/eve/shop"), PULL),
        (pull_request("closed", branch="nthlayer-sync"), {"audit": AUDIT_SHOP}),
        (pull_request("closed", branch="nthlayer-sync", merged=True), MERGED),
    ],
)
async def test_a_pull_request_of_github(site: Site, event: Any, asked: dict[str, set[str]]) -> None:
    assert (await site.send("github", event, X_GitHub_Event="pull_request"))[0] == 202
    assert await site.asked() == asked


async def test_what_else_github_sends_means_nothing(site: Site) -> None:
    for name in ("ping", "issues", "check_run", ""):
        assert await site.send("github", {"zen": name}, X_GitHub_Event=name) == (202, {"asked": 0})
    assert await site.untouched()


@pytest.mark.parametrize(
    "url", ["", "x", "https://", "https://github.com/", "https://github.com/a b/c", "https://github.com/../x#1",
            "https://github.com/acme/shop#7", "/srv/catalog", "https://[::1/x/y", f"https://github.com/{'a' * 300}/b"],
)  # fmt: skip
async def test_a_repository_without_an_address_is_refused(site: Site, url: str) -> None:
    assert (await site.send("github", push(url), X_GitHub_Event="push"))[0] == 400
    assert (await site.send("github", pull_request("opened", url), X_GitHub_Event="pull_request"))[0] == 400
    assert await site.untouched()


def gitlab_push(*commits: Any, total: int | None = None, ref: str = "refs/heads/main") -> dict[str, Any]:
    """As https://docs.gitlab.com/user/project/integrations/webhook_events/#push-events shows it."""
    project = {"id": 15, "name": "catalog", "web_url": "https://gitlab.com/acme/platform/catalog",
               "path_with_namespace": "acme/platform/catalog", "default_branch": "main"}  # fmt: skip
    count = len(commits) if total is None else total
    return {"object_kind": "push", "event_name": "push", "ref": ref, "project": project, "commits": list(commits),
            "total_commits_count": count}  # fmt: skip


def merge_request(action: str, branch: str = "fix", source: int = 15, **more: Any) -> dict[str, Any]:
    """As …#merge-request-events shows it."""
    attributes = {"iid": 7, "state": "opened", "action": action, "source_branch": branch, "target_branch": "main",
                  "source_project_id": source, "target_project_id": 15, **more}  # fmt: skip
    return {"object_kind": "merge_request", "event_type": "merge_request", "project": gitlab_push()["project"],
            "object_attributes": attributes, "labels": []}  # fmt: skip


BOTH = {"look": {"gitlab-catalog"}, "audit": {"git git@gitlab.com:acme/platform/catalog.git"}}
ALL = {"look": {"gitlab-catalog", "portal", "checkout"}, "audit": BOTH["audit"]}


@pytest.mark.parametrize(
    ("event", "asked"),
    [
        (gitlab_push(commit("a")), BOTH),
        (gitlab_push(commit("catalog-info.yml")), ALL),
        (gitlab_push(commit("a"), total=21), ALL),  # of which twenty are told
        (gitlab_push(commit("a", author=US)), {}),
        (gitlab_push(commit("a", author=US), total=21), ALL),
        (gitlab_push(commit("a"), ref="refs/heads/other"), {}),
        (merge_request("open"), {"pull": {"gitlab.com/acme/platform/catalog#7"}}),
        (merge_request("reopen"), {"pull": {"gitlab.com/acme/platform/catalog#7"}}),
        (merge_request("update"), {}),
        (merge_request("update", oldrev="a" * 40), {"pull": {"gitlab.com/acme/platform/catalog#7"}}),
        (merge_request("merge"), ALL),
        (merge_request("close"), {}),
        (merge_request("close", branch="nthlayer-sync"), {"audit": BOTH["audit"]}),
        (merge_request("open", branch="nthlayer-sync"), {}),
        (merge_request("open", branch="nthlayer-sync", source=99), {"pull": {"gitlab.com/acme/platform/catalog#7"}}),
        ({"object_kind": "note"}, {}),
    ],
)
async def test_an_event_of_gitlab(site: Site, event: Any, asked: dict[str, set[str]]) -> None:
    assert (await site.send("gitlab", event))[0] == 202
    assert await site.asked() == asked


async def test_backstage_is_looked_at_however_many_entities_changed(site: Site) -> None:
    refs = [f"component:default/c{number}" for number in range(5000)]
    assert await site.send("backstage", {"entityRefs": refs}) == (202, {"asked": 1})
    assert await site.asked() == {"look": {"portal"}}
    for wrong in ({}, {"entityRefs": []}, {"entityRefs": "x"}, {"entityRefs": [1]}):
        assert (await site.send("backstage", wrong))[0] == 400
    assert not await site.asked()


async def test_cortex_is_looked_at(site: Site) -> None:
    assert await site.send("cortex", {"any": "thing"}) == (202, {"asked": 1})
    assert await site.asked() == {"look": {"idp"}}


def pagerduty(kind: str, agent: Any = None, client: Any = None) -> dict[str, Any]:
    """As https://docs.pagerduty.com/developer/webhooks-overview shows it."""
    data = {"id": "PF9KMXH", "type": "service", "summary": "testing service updates"}
    event = {"id": "01BRB6ZP4M6T8ZG4X6BP63ZB9O", "event_type": kind, "resource_type": "service", "data": data}
    return {"event": event | {"occurred_at": "2021-03-02T13:35:11.682Z", "agent": agent, "client": client}}


ACCOUNTS = {"audit": {"pagerduty pagerduty", "pagerduty pagerduty:emea"}}
ADA = {"id": "PLH1HKV", "type": "user_reference", "summary": "Ada"}


@pytest.mark.parametrize(
    ("event", "asked"),
    [
        (pagerduty("service.updated"), ACCOUNTS),
        (pagerduty("service.deleted", ADA, {"name": "PagerDuty"}), ACCOUNTS),
        (pagerduty("service.updated", ADA | {"summary": "Nthlayer-Sync (bot)"}), {}),
        (pagerduty("service.updated", ADA, {"name": "nthlayer-sync"}), {}),
        (pagerduty("incident.triggered", ADA), {}),
        (pagerduty("pagey.ping"), {}),
    ],
)
async def test_an_event_of_pagerduty(site: Site, event: Any, asked: dict[str, set[str]]) -> None:
    assert (await site.send("pagerduty", event))[0] == 202
    assert await site.asked() == asked


async def test_alerts_of_ours_wake_their_subject_and_all_are_told(site: Site) -> None:
    def alert(status: str = "firing", **labels: str) -> dict[str, Any]:
        return {"status": status, "labels": {"alertname": "Slow", **labels}, "startsAt": "2026-01-01T00:00:00Z"}

    group = {"version": "4", "groupKey": "{}", "status": "firing", "receiver": "us", "alerts": [
        alert(entity="component:default/shop", service="shop", instance="a"),
        alert(entity="component:default/shop", service="shop", instance="b"),
        alert("resolved", entity="component:default/till", service="till"),
        alert(entity="component:default/other"),
        alert(entity="no reference at all", service="x", alertname="Bad\n\x1b[2J" + "y" * 1000),
        {"status": "firing", "labels": {}},
    ]}  # fmt: skip
    assert await site.send("alertmanager", group) == (202, {"asked": 1})
    assert await site.asked() == {"subject": {"component:default/shop"}}
    events = await site.store.events(0)
    assert [event.name for event in events] == ["alert.firing"] * 4
    assert [event.subject for event in events] == ["component:default/shop", None, None, None]
    assert events[0].text == "the alert 'Slow' fires"
    assert all(event.text.isprintable() and len(event.text) < 300 for event in events)


async def test_a_storm_of_alerts_looks_at_everything(site: Site) -> None:
    alerts = [
        {"status": "firing", "labels": {"entity": f"component:default/c{n}", "service": f"c{n}", "alertname": "Down"}}
        for n in range(MOST_KEYS + 1)
    ]
    assert (await site.send("alertmanager", {"alerts": alerts}))[0] == 202
    assert await site.asked() == {"look": {"catalog", "gitlab-catalog", "portal", "checkout", "idp"}}
    assert len(await site.store.events(0)) == 100


@pytest.mark.parametrize(
    ("service", "subject"),
    [
        ("shop", "component:default/shop"),
        ("Resource:infra/DB", "resource:infra/db"),
        ("a/shop", "component:a/shop"),
        ("", None),
        ("a:b:c", None),
        ("a b", None),
        ("x\n", None),
        ("x\u202e", None),
        ("y" * 400, None),
    ],
)
async def test_a_deployment_wakes_its_service(site: Site, service: str, subject: str | None) -> None:
    status, _ = await site.send("deploy", {"service": service, "version": "1.2\n3", "environment": "production"})
    if subject is None:
        assert status == 400
        assert await site.untouched()
        return
    assert status == 202
    assert await site.asked() == {"subject": {subject}}
    (event,) = await site.store.events(0)
    assert (event.name, event.subject) == ("service.deployed", subject)
    assert event.text == "version 1.2 3 was deployed in production"


def test_previews_may_be_off() -> None:
    from nthlayer_sync.web.hooks.repositories import Pull, Turn, pulled

    pull = Pull("github.com/acme/shop", 12, Turn.NEW, "fix", is_fork=False)
    for previews in (True, False):
        landscape = Landscape(Settings.model_validate(SETTINGS | {"serve": {"previews": previews}}))
        assert bool(pulled(pull, landscape).keys) == previews


def test_one_delivery_asks_for_so_much_and_no_more() -> None:
    landscape = Landscape(Settings.model_validate(SETTINGS))
    most = Asks({Topic.SUBJECT: [str(number) for number in range(MOST_KEYS)]})
    assert bounded(most, landscape) is most
    more = Asks({Topic.SUBJECT: [str(number) for number in range(MOST_KEYS)], Topic.PULL: ["x"]})
    assert bounded(more, landscape).keys == {Topic.LOOK: landscape.everything()}


@pytest.mark.parametrize(
    ("address", "repository"),
    [
        ("https://github.com/acme/shop", "github.com/acme/shop"),
        ("https://token@GitHub.com/acme/shop.git/", "github.com/acme/shop"),
        ("ssh://git@gitlab.example:2222/a/b/c.git", "gitlab.example/a/b/c"),
        ("git@gitlab.com:acme/shop.git", "gitlab.com/acme/shop"),
        ("/srv/git/shop", ""),
        ("./shop", ""),
        ("https://github.com", ""),
    ],
)
def test_a_repository_is_known_by_any_of_its_addresses(address: str, repository: str) -> None:
    assert repository_of(address) == repository


def test_what_comes_from_outside_stays_on_its_line() -> None:
    assert quoted("a\n b\x00\u2028c") == "a b c"
    assert len(quoted("x" * 100_000)) == 200
