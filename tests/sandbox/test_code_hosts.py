"""GitHub and GitLab as their documentation has them."""

import aiohttp
import pytest

from nthlayer_sync.sandbox import Sandbox
from tests.sandbox.conftest import Caller


@pytest.fixture
def github(sandbox: Sandbox, session: aiohttp.ClientSession) -> Caller:
    headers = {"Authorization": f"Bearer {sandbox.github.token}", "Accept": "application/vnd.github+json"}
    return Caller(session, sandbox.github, headers)


@pytest.fixture
def gitlab(sandbox: Sandbox, session: aiohttp.ClientSession) -> Caller:
    return Caller(session, sandbox.gitlab, {"PRIVATE-TOKEN": sandbox.gitlab.token})


async def test_github_people_and_places(github: Caller) -> None:
    found = await github("GET", "/search/users?q=ada@example.com+in:email")
    assert [each["login"] for each in found["items"]] == ["ada"]
    assert (await github("GET", "/users/ada"))["name"] == "Ada Lovelace"
    await github("GET", "/users/nobody", expect=404)
    assert {each["slug"] for each in await github("GET", "/orgs/acme/teams")} > {"payments-team"}
    await github("GET", "/orgs/acme/teams/payments-team")
    assert len(await github("GET", "/orgs/acme/teams/payments-team/members")) == 2
    first = await github("GET", "/orgs/acme/repos?per_page=3")
    assert (len(first), 'rel="next"' in github.last["link"]) == (3, True)
    assert len(await github("GET", "/orgs/acme/repos?per_page=3&page=2")) == 1
    assert 'rel="next"' not in github.last["link"]
    await github("GET", "/repos/acme/shop")
    await github("GET", "/repos/acme/shop", expect=304, headers={"If-None-Match": github.last["etag"]})
    await github("GET", "/user", expect=401, headers={"Authorization": "Bearer wrong"})


async def test_github_rulesets_show_all_parameters(github: Caller) -> None:
    wanted = {
        "name": "main",
        "target": "branch",
        "enforcement": "active",
        "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
        "rules": [{"type": "deletion"}, {"type": "pull_request", "parameters": _REVIEW}],
    }
    made = await github("POST", "/repos/acme/shop/rulesets", wanted, 201)
    assert made["rules"][1]["parameters"]["allowed_merge_methods"] == ["merge", "squash", "rebase"]
    assert (await github("POST", "/repos/acme/shop/rulesets", wanted, 422))["errors"][0][
        "message"
    ] == "Name must be unique"
    [listed] = await github("GET", "/repos/acme/shop/rulesets")
    assert "rules" not in listed
    await github("PUT", f"/repos/acme/shop/rulesets/{made['id']}", {"enforcement": "disabled"})
    assert (await github("GET", f"/repos/acme/shop/rulesets/{made['id']}"))["enforcement"] == "disabled"
    await github("DELETE", f"/repos/acme/shop/rulesets/{made['id']}", expect=204)
    await github("GET", f"/repos/acme/shop/rulesets/{made['id']}", expect=404)


_REVIEW = {
    "dismiss_stale_reviews_on_push": True,
    "require_code_owner_review": True,
    "require_last_push_approval": False,
    "required_approving_review_count": 2,
    "required_review_thread_resolution": False,
}


async def test_github_environments_are_said_anew(github: Caller) -> None:
    team = await github("GET", "/orgs/acme/teams/payments-team")
    path = "/repos/acme/payments/environments/production"
    wanted = {"wait_timer": 30, "reviewers": [{"type": "Team", "id": team["id"]}], "prevent_self_review": True}
    policy = {"protected_branches": False, "custom_branch_policies": True}
    made = await github("PUT", path, wanted | {"deployment_branch_policy": policy})
    assert [rule["type"] for rule in made["protection_rules"]] == ["wait_timer", "required_reviewers", "branch_policy"]
    await github("PUT", path, {"reviewers": [{"type": "Team", "id": 1}]}, 422)
    kept = await github("POST", f"{path}/deployment-branch-policies", {"name": "main"})
    assert (await github("GET", f"{path}/deployment-branch-policies"))["total_count"] == 1
    await github("DELETE", f"{path}/deployment-branch-policies/{kept['id']}", expect=204)
    assert (await github("PUT", path, {}))["protection_rules"] == []
    assert (await github("GET", "/repos/acme/payments/environments"))["total_count"] == 1
    await github("DELETE", path, expect=204)
    await github("GET", path, expect=404)


async def test_github_has_one_request_from_a_branch(github: Caller) -> None:
    wanted = {"title": "Configs", "head": "nthlayer-sync/main", "base": "main", "body": "The plan"}
    made = await github("POST", "/repos/acme/shop/pulls", wanted, 201)
    refused = await github("POST", "/repos/acme/shop/pulls", wanted, 422)
    assert "already exists" in refused["errors"][0]["message"]
    assert [each["number"] for each in await github("GET", "/repos/acme/shop/pulls?head=acme:nthlayer-sync/main")] == [
        1
    ]
    await github("POST", "/repos/acme/shop/issues/1/labels", {"labels": ["nthlayer-sync"]})
    asked = {"reviewers": ["grace"], "team_reviewers": ["shop-team"]}
    await github("POST", "/repos/acme/shop/pulls/1/requested_reviewers", asked, 201)
    shown = await github("GET", "/repos/acme/shop/pulls/1")
    assert ([each["name"] for each in shown["labels"]], len(shown["requested_teams"])) == (["nthlayer-sync"], 1)
    await github("PATCH", f"/repos/acme/shop/pulls/{made['number']}", {"body": "Another plan", "state": "closed"})
    assert await github("GET", "/repos/acme/shop/pulls") == []
    await github("POST", "/repos/acme/shop/pulls", wanted, 201)
    await github("PUT", "/repos/acme/shop/pulls/2/merge", {})
    assert (await github("GET", "/repos/acme/shop/pulls/2"))["merged"]
    await github("GET", "/repos/acme/shop/branches/main")


async def test_gitlab_protects_environments(gitlab: Caller) -> None:
    project = await gitlab("GET", "/projects/acme%2Fshop")
    assert project["path_with_namespace"] == "acme/shop"
    [ada] = await gitlab("GET", "/users?search=ada@example.com")
    path = f"/projects/{project['id']}/protected_environments"
    wanted = {"name": "production", "deploy_access_levels": [{"access_level": 40}, {"user_id": ada["id"]}]}
    made = await gitlab("POST", path, wanted, 201)
    assert made["deploy_access_levels"][0]["access_level_description"] == "Maintainers"
    await gitlab("POST", path, wanted, 409)
    gone = {"deploy_access_levels": [{"id": made["deploy_access_levels"][1]["id"], "_destroy": True}]}
    assert len((await gitlab("PUT", f"{path}/production", gone))["deploy_access_levels"]) == 1
    assert len(await gitlab("GET", path)) == 1
    await gitlab("DELETE", f"{path}/production", expect=204)
    await gitlab("GET", f"{path}/production", expect=404)
    assert len(await gitlab("GET", "/groups/acme%2Fshop-team/members")) == 2


async def test_gitlab_has_one_request_from_a_branch(gitlab: Caller) -> None:
    path = "/projects/acme%2Fshop/merge_requests"
    wanted = {"title": "Configs", "source_branch": "nthlayer-sync/main", "target_branch": "main", "labels": ["b", "a"]}
    made = await gitlab("POST", path, wanted, 201)
    assert (made["iid"], made["labels"]) == (1, ["a", "b"])
    await gitlab("POST", path, wanted, 409)
    users = await gitlab("GET", "/users?username=grace")
    await gitlab("PUT", f"{path}/1", {"description": "Another plan", "reviewer_ids": [users[0]["id"]]})
    assert len((await gitlab("GET", f"{path}/1"))["reviewers"]) == 1
    await gitlab("PUT", f"{path}/1", {"state_event": "close"})
    assert await gitlab("GET", f"{path}?state=opened") == []
    assert gitlab.last["x-total"] == "0"
    first = await gitlab("GET", "/projects?per_page=3")
    assert (len(first), gitlab.last["x-next-page"]) == (3, "2")
    await gitlab("GET", "/projects/acme%2Fnothere", expect=404)
    await gitlab("GET", "/user", expect=401, headers={"PRIVATE-TOKEN": "wrong"})
