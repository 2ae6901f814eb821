"""The stacks of services: what AWS's own linter says of them, what moto makes of them, and hostile values."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.config import Config
from nthlayer_sync.model.diff import Action, Diff
from nthlayer_sync.model.ref import entity_ref
from nthlayer_sync.model.result import Outcome
from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins.aws import AwsSettings, Plugin
from nthlayer_sync.plugins.aws.log_group import RETENTIONS, days_for
from nthlayer_sync.plugins.aws.permissions import GRANTS, statements
from nthlayer_sync.plugins.aws.stack import stack_name
from nthlayer_sync.sdk.cloudformation import StackKind
from nthlayer_sync.sdk.runtime import Runtime
from nthlayer_sync.sdk.testing import hostile_services, service_from, settings_of, subject_of
from tests.plugins.aws.server import ACCOUNT, ROOT, Aws

HERE = Path(__file__).parent
CASES = sorted(path for path in HERE.glob("*/*/when.yaml") if path.parts[-3] != "tags")
EVERYTHING = {
    "id": ACCOUNT,
    "region": "eu-west-1",
    "workloads": f"arn:aws:iam::{ACCOUNT}:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF",
    "vpc": "vpc-0123456789abcdef0",
}
FULL: dict[str, Any] = {
    "name": "payments",
    "annotations": {"amazonaws.com/account-id": ACCOUNT},
    "blueprint": {
        "cost": {"budget": "$5000/month"},
        "access": {"secrets": {"generated": ["session-key"]}},
        "data": {"queues": {"names": ["orders"]}},
    },
    "depends_on": [
        {
            "ref": "resource:default/db",
            "name": "db",
            "kind": "resource",
            "technology": "postgresql",
            "arn": "arn:aws:s3:::acme",
        }
    ],
    "dependents": [
        {"ref": "component:default/web", "name": "web", "kind": "component", "tier": "1", "account": ACCOUNT}
    ],
}


def plugin_with(settings: object) -> Plugin:
    return Plugin(AwsSettings.model_validate(settings), cast("Runtime", Runtime(files=cast("Any", None))))


def stack_configs(plugin: Plugin, service: Service) -> list[tuple[Config, dict[str, Any]]]:
    return [
        (config, json.loads(plugin.kind(config.id.kind).content(config.spec)))
        for config in plugin.generate_configs(service)
        if isinstance(plugin.kind(config.id.kind), StackKind)
    ]


def template_of(parts: list[tuple[Config, dict[str, Any]]]) -> dict[str, Any]:
    resources = {id: row for _, part in parts for id, row in part["Resources"].items()}
    outputs = {id: row for _, part in parts for id, row in part.get("Outputs", {}).items()}
    return {"Resources": resources, **({"Outputs": outputs} if outputs else {})}


def full(**words: Any) -> Service:
    return service_from({**FULL, **words})


def test_amazons_own_linter_has_nothing_to_say(tmp_path: Path) -> None:
    pytest.importorskip("cfnlint", reason="cfn-lint is not installed: pip install cfn-lint")
    for when in CASES:
        parts = stack_configs(plugin_with(settings_of(when)), cast("Service", subject_of(when)))
        if parts:
            name = f"{when.parts[-3]}-{when.parts[-2]}.json"
            (tmp_path / name).write_text(json.dumps(template_of(parts)))
    whole = stack_configs(plugin_with({"accounts": [EVERYTHING]}), full())
    (tmp_path / "full.json").write_text(json.dumps(template_of(whole)))
    files = sorted(str(path) for path in tmp_path.glob("*.json"))
    done = subprocess.run(
        [str(Path(sys.executable).parent / "cfn-lint"), "--regions", "eu-west-1", "--", *files],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert (done.stdout, done.returncode) == ("", 0)
    assert len(files) > 10


def test_nothing_is_made_without_an_account() -> None:
    plugin = Plugin(AwsSettings(), cast("Runtime", Runtime(files=cast("Any", None))))
    assert stack_configs(plugin, full()) == []
    assert stack_configs(plugin_with({"accounts": [EVERYTHING]}), full(annotations={})) == []
    bare = {"id": ACCOUNT, "region": "eu-west-1"}
    kinds = {config.id.kind for config, _ in stack_configs(plugin_with({"accounts": [bare]}), full())}
    assert kinds == {"aws/log_group", "aws/sqs", "aws/secret", "aws/backup_plan", "aws/budget"}
    library = {
        config.id.kind for config, _ in stack_configs(plugin_with({"accounts": [EVERYTHING]}), full(type="library"))
    }
    assert not library & {"aws/log_group", "aws/iam_role", "aws/security_group", "aws/ingress"}


async def test_moto_makes_a_whole_stack_and_the_next_look_finds_nothing_to_do(aws: Aws) -> None:
    """moto makes log groups, queues, roles and groups; secrets, budgets and backups it keeps in the template only.

    Left out: ingress, whose import moto cannot resolve.
    """
    async with aws.client("ec2") as ec2:
        vpc = (await ec2.create_vpc(CidrBlock="10.0.0.0/16"))["Vpc"]["VpcId"]
    plugin = plugin_with({"accounts": [{**EVERYTHING, "vpc": vpc, "endpoint": aws.url}]})
    target = plugin.live
    assert target is not None
    wanted = [config for config, _ in stack_configs(plugin, full()) if config.id.kind != "aws/ingress"]
    batch = [
        Diff(config.id, Action.CREATE, config, None, after=plugin.kind(config.id.kind).content(config.spec))
        for config in wanted
    ]
    results = await target.write(batch, "key")
    assert {(result.outcome, result.reason) for result in results} == {(Outcome.DONE, "")}
    found = await target.read(ROOT, {config.id: config.place.path for config in wanted})
    diffs = [plugin.reconcile(config, found.get(config.id)) for config in wanted]
    assert {diff.action for diff in diffs} == {Action.NOTHING}
    revisions = await target.revisions(ROOT, None)
    assert revisions == {config.place.path: result.revision for config, result in zip(wanted, results, strict=True)}
    async with aws.client("iam") as iam:
        [role] = [row for row in (await iam.list_roles())["Roles"] if "Role" in row["RoleName"]]
        assert role["AssumeRolePolicyDocument"]["Statement"][0]["Action"] == "sts:AssumeRoleWithWebIdentity"
    async with aws.client("sqs") as sqs:
        urls = (await sqs.list_queues())["QueueUrls"]
        assert sorted(url.rpartition("/")[2] for url in urls) == ["payments-orders", "payments-orders-dead"]


async def test_iam_accepts_every_policy(aws: Aws) -> None:
    arns = [f"arn:aws:{service}:eu-west-1:{ACCOUNT}:some/thing" for service in GRANTS if service != "s3"]
    arns.append("arn:aws:s3:::some-bucket")
    document = {"Version": "2012-10-17", "Statement": statements(arns)}
    async with aws.client("iam") as iam:
        await iam.create_policy(PolicyName="all", PolicyDocument=json.dumps(document))
    assert len(document["Statement"]) == sum(len(grants) for grants in GRANTS.values())


def test_no_grant_is_wider_than_what_it_names() -> None:
    for service in GRANTS:
        arn = f"arn:aws:{service}:eu-west-1:{ACCOUNT}:thing"
        for statement in statements([arn]):
            assert all(resource.startswith(arn) for resource in statement["Resource"])
            assert all(re.fullmatch(rf"{service}:[A-Za-z]+", action) for action in statement["Action"])
    assert statements(["arn:aws:s3:::*", "arn:aws:s3:::a${b}", "*", "", "arn:aws:iam::123456789012:role/x"]) == []


def test_hostile_values_change_no_structure(hostile: str) -> None:
    plugin = plugin_with({"accounts": [EVERYTHING]})
    ordinary = {config.id.kind: _shape(part) for config, part in stack_configs(plugin, full())}
    annotations = {"amazonaws.com/account-id": ACCOUNT}
    for service in hostile_services(hostile):
        try:
            parts = stack_configs(plugin, full(name=hostile, annotations={**service.annotations, **annotations}))
        except (PermanentError, ValueError):
            continue
        for config, part in parts:
            assert re.fullmatch(r"[a-zA-Z][a-zA-Z0-9-]{0,127}/[A-Za-z0-9]+", config.place.path)
            assert _shape(part) == ordinary[config.id.kind]
            assert "${" not in re.sub(r"\$\{AWS::[A-Za-z]+\}", "", json.dumps(part)) or "${" in hostile


def _shape(value: object) -> object:
    if isinstance(value, dict):
        return {key: _shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_shape(inner) for inner in value]
    return type(value)


NAMES = st.from_regex(r"\A[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?\Z")
SPACES = st.from_regex(r"\A[a-z0-9]+(-[a-z0-9]+){0,3}\Z").filter(lambda text: len(text) <= 63)


@hypothesis_settings(max_examples=300, deadline=None)
@given(first=st.tuples(SPACES, NAMES), second=st.tuples(SPACES, NAMES))
def test_no_two_services_share_a_stack(first: tuple[str, str], second: tuple[str, str]) -> None:
    names = [stack_name(entity_ref("component", name, namespace)) for namespace, name in (first, second)]
    assert all(re.fullmatch(r"[a-zA-Z][a-zA-Z0-9-]{0,127}", name) for name in names)
    assert (names[0] == names[1]) == (first == second)


@pytest.mark.parametrize(
    ("one", "other"),
    [(("default", "a-b"), ("a", "b")), (("default", "a.b"), ("default", "a-b")), (("a", "b-c"), ("a-b", "c"))],
)
def test_names_that_look_alike_have_stacks_of_their_own(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert len({stack_name(entity_ref("component", name, namespace)) for namespace, name in (one, other)}) == 2


@pytest.mark.parametrize(
    ("days", "kept"), [(1, 1), (30, 30), (31, 60), (90, 90), (365, 365), (3653, 3653), (4000, None)]
)
def test_logs_are_kept_for_a_time_that_cloudwatch_knows(days: int, kept: int | None) -> None:
    assert days_for(days * 86_400) == kept
    assert kept is None or kept in RETENTIONS


@pytest.mark.parametrize(
    ("blueprint", "message"),
    [
        ({"data": {"queues": {"names": ["a"], "retention": "15days"}}}, "SQS allows 60 to 1209600 seconds"),
        ({"data": {"queues": {"names": ["a"], "visibility": "13h"}}}, "SQS allows 0 to 43200 seconds"),
        ({"access": {"secrets": {"generated": ["a"], "rotation": "3years"}}}, "at most 1000 days"),
        ({"cost": {"budget": "$1/day", "alerts": ["1%", "2%", "3%", "4%", "5%", "6%"]}}, "allows 5 alerts"),
    ],
)
def test_what_aws_refuses_is_said_before(blueprint: dict[str, Any], message: str) -> None:
    with pytest.raises(PermanentError, match=f"component:default/payments: .*{message}"):
        stack_configs(plugin_with({"accounts": [EVERYTHING]}), full(blueprint=blueprint))
