"""GitHub's live kinds against its stand-in."""

import math
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

from nthlayer_sync.model.config import Config
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.result import Outcome
from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins.github import GithubSettings
from nthlayer_sync.plugins.github import Plugin as GitHub
from nthlayer_sync.sandbox import Fault
from nthlayer_sync.sdk.http import Manners
from nthlayer_sync.sdk.testing import hostile_services, service_from
from tests.plugins.live import Trial, trial


class Plugin(GitHub):
    manners = Manners(rate=math.inf)


def service(repository: str = "payments", folder: str = "", **more: Any) -> Service:
    own = {"root": f"https://github.com/acme/{repository}", "folder": folder, "slug": f"acme/{repository}"}
    facts = {"entity": "component:default/payments", "default_branch": "main"}
    entity = {"root": own["root"], "path": "/".join(filter(None, [folder, "catalog-info.yaml"]))}
    return service_from({"own": own, "facts": facts, "entity": entity, **more})


def changed(config: Config, **fields: Any) -> Config:
    return msgspec.structs.replace(config, spec=msgspec.structs.replace(config.spec, **fields))


def held(github: Trial, collection: str) -> list[dict[str, Any]]:
    return list(github.tool.collections[collection].everything())


async def test_a_life(shared: Path) -> None:
    async with trial(shared, Plugin) as github:
        configs = github.configs(service())
        assert sorted(c.place.path for c in configs) == [
            "environments/acme/payments/production",
            "rulesets/acme/payments/payments",
        ]
        await github.bring_about(configs)
        [ruleset] = held(github, "rulesets")
        assert ruleset["name"] == "nthlayer-sync: payments"
        [environment] = held(github, "environments")
        kinds = [rule["type"] for rule in environment["protection_rules"]]
        assert kinds == ["required_reviewers", "branch_policy"]
        assert [policy["name"] for policy in held(github, "branch_policies")] == ["main"]

        by_kind = {config.id.kind: config for config in configs}
        rules = changed(by_kind["github/ruleset"], reviewers=1, checks=("Lint",))
        gate = changed(by_kind["github/environment"], branches=("trunk",), others=False)
        await github.bring_about([rules, gate])
        assert [policy["name"] for policy in held(github, "branch_policies")] == ["trunk"]
        await github.take_away([rules])


async def test_an_environment_with_a_slash_in_its_name(shared: Path) -> None:
    async with trial(shared, Plugin) as github:
        configs = github.configs(service("shop", "services/payments"))
        assert [c.place.path for c in configs] == ["environments/acme/shop/production/payments"]
        await github.bring_about(configs)
        await github.bring_about([changed(configs[0], others=False)])
        assert [each["name"] for each in held(github, "environments")] == ["production/payments"]


async def test_lists_are_read_to_their_end_and_archives_left_alone(shared: Path) -> None:
    async with trial(shared, Plugin, {"repositories": ["r14?", "OLD"]}) as github:
        repositories = github.tool.collections["repositories"]
        like = next(iter(repositories.everything()))
        for number in range(150):
            name = f"r{number:03}"
            repositories.add({**like, "id": 5_000_000 + number, "name": name, "full_name": f"acme/{name}"})
        repositories.add({**like, "id": 5_999_999, "name": "old", "full_name": "acme/old", "archived": True})
        far, old = service("r149"), service("old")
        await github.bring_about(github.configs(far))
        paths = await github.target.revisions("github", None)
        assert "rulesets/acme/r149/payments" in paths
        assert await github.observed(github.configs(old)[0]) is None


async def test_what_people_add_is_kept(shared: Path) -> None:
    async with trial(shared, Plugin) as github:
        configs = {config.id.kind: config for config in github.configs(service())}
        await github.bring_about(list(configs.values()))
        [ruleset] = held(github, "rulesets")
        ruleset["rules"].append({"type": "required_linear_history"})
        ruleset["bypass_actors"] = [{"actor_id": 5, "actor_type": "RepositoryRole", "bypass_mode": "always"}]
        review = next(rule for rule in ruleset["rules"] if rule["type"] == "pull_request")
        review["parameters"]["required_review_thread_resolution"] = True
        [environment] = held(github, "environments")
        environment["protection_rules"].append({"id": 1, "node_id": "x", "type": "wait_timer", "wait_timer": 30})
        for config in configs.values():
            assert (await github.diff(config)).action is Action.NOTHING
        rules, gate = configs["github/ruleset"], configs["github/environment"]
        await github.bring_about([changed(rules, reviewers=1), changed(gate, others=False)])
        [ruleset], [environment] = held(github, "rulesets"), held(github, "environments")
        review = next(rule for rule in ruleset["rules"] if rule["type"] == "pull_request")
        assert review["parameters"]["required_review_thread_resolution"]
        assert {"type": "required_linear_history"} in ruleset["rules"]
        assert ruleset["bypass_actors"]
        assert {"wait_timer"} < {rule["type"] for rule in environment["protection_rules"]}


async def test_an_edit_by_hand_shows(shared: Path) -> None:
    async with trial(shared, Plugin) as github:
        configs = {config.id.kind: config for config in github.configs(service())}
        await github.bring_about(list(configs.values()))
        before = {kind: await github.observed(config) for kind, config in configs.items()}
        held(github, "rulesets")[0]["enforcement"] = "disabled"
        held(github, "environments")[0]["protection_rules"].pop(0)
        for kind, config in configs.items():
            was, now = before[kind], await github.observed(config)
            assert was is not None
            assert now is not None
            assert (was.revision, was.content) != (now.revision, now.content)
            assert (await github.diff(config)).action is Action.UPDATE


@pytest.mark.parametrize("path", ["*/rulesets", "*/environments/production"])
async def test_a_create_whose_answer_is_lost_makes_one_object(shared: Path, path: str) -> None:
    kind = "ruleset" if "ruleset" in path else "environment"
    async with trial(shared, Plugin, {"kinds": [kind]}) as github:
        [config] = github.configs(service())
        method = "POST" if kind == "ruleset" else "PUT"
        github.tool.faults.add(Fault(method=method, path=path, status=502, commit=True))
        await github.apply(config)
        assert len(held(github, f"{kind}s")) == 1


async def test_an_environment_is_made_whole_or_not_at_all(shared: Path) -> None:
    async with trial(shared, Plugin, {"kinds": ["environment"]}) as github:
        [config] = github.configs(service())
        github.tool.faults.add(Fault(method="POST", path="*/deployment-branch-policies", status=403, times=0))
        result = await github.apply(config, allowed=[Outcome.FAILED])
        assert "branches" in result.reason
        assert held(github, "environments") == []


async def test_what_is_not_ours_is_left_alone(shared: Path) -> None:
    async with trial(shared, Plugin) as github:
        configs = {config.id.kind: config for config in github.configs(service())}
        await github.bring_about(list(configs.values()))
        github.remembered.clear()
        held(github, "rulesets")[0]["name"] = "nthlayer-sync/emea: payments"
        held(github, "rulesets")[0]["enforcement"] = "disabled"
        held(github, "environments")[0]["protection_rules"].pop(0)
        written = len(github.sandbox.ledger.committed())
        for config in configs.values():
            diff = await github.diff(config)
            assert diff.action is Action.REFUSE
            forced = msgspec.structs.replace(diff, action=Action.CREATE, actual=None)
            [result] = await github.target.write([forced], "k")
            assert result.outcome is Outcome.FAILED
        assert len(github.sandbox.ledger.committed()) == written


async def test_what_moves_to_another_repository(shared: Path) -> None:
    async with trial(shared, Plugin) as github:
        old = {config.id.kind: config for config in github.configs(service())}
        await github.bring_about(list(old.values()))
        for config in github.configs(service("shop")):
            before = old[config.id.kind]
            diff = github.plugin.reconcile(changed(before, repository="acme/shop"), await github.observed(before))
            diff = msgspec.structs.replace(diff, desired=config, actual=None, was=before.place)
            seen = await github.observed(before)
            assert seen is not None
            actual = msgspec.structs.replace(seen, marked=True)
            [result] = await github.target.write([msgspec.structs.replace(diff, actual=actual)], "k")
            assert result.outcome is Outcome.DONE, result.reason
            assert (await github.diff(config)).action is Action.NOTHING
        assert [each["source"] for each in held(github, "rulesets")] == ["acme/shop"]
        assert len(held(github, "environments")) == 2  # people keep secrets in the old one


def test_hostile_values_reach_no_address(hostile: str) -> None:
    plugin = GitHub(GithubSettings(organisation="acme"))
    for kind in plugin.kinds[2:]:
        for service in hostile_services(hostile):
            for config in plugin.generate(kind, service):
                assert re.fullmatch(r"[a-z]+/acme/payments/[\w/]+", config.place.path)


def test_a_token_needs_an_organisation() -> None:
    with pytest.raises(ValidationError, match="organisation"):
        GithubSettings.model_validate({"token": "env:TOKEN"})
