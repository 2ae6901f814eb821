"""Parts of stacks against a real moto server; what moto cannot do is answered by its proxy, and named in the test."""

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from nthlayer_sync.errors import PermanentError, TemporaryError
from nthlayer_sync.model.config import Config, ConfigId, Observed, Spec
from nthlayer_sync.model.diff import Action, Diff
from nthlayer_sync.model.entity import Place
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.result import Outcome, Result
from nthlayer_sync.sdk.cloudformation import Account, Part, StackTarget, retained
from nthlayer_sync.sdk.cloudformation.part import encode
from tests.plugins.aws.server import HAS_MOTO, REASON, ROOT, Aws, moto_server, refusal, serve, xml

STACK = "nthlayer-payments"
DONE, UNCHANGED, FAILED = Outcome.DONE, Outcome.UNCHANGED, Outcome.FAILED


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    if not HAS_MOTO:
        pytest.skip(REASON)
    with moto_server() as url:
        yield url


@pytest.fixture
async def aws(moto: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Aws]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    async for served in serve(moto):
        yield served


def logs(days: int = 30) -> Part:
    resource = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/payments", "RetentionInDays": days}}
    return Part({"LogGroup": retained(resource)})


def queue(seconds: int = 30) -> Part:
    resource = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "payments", "VisibilityTimeout": seconds}}
    return Part({"Queue": resource}, {"QueueArn": {"Value": {"Fn::GetAtt": ["Queue", "Arn"]}}})


def content(part: Part) -> str:
    return encode(part).decode()


def change(name: str, part: Part | None, revision: str = "", stack: str = STACK) -> Diff:
    id, place = ConfigId("aws/x", EntityRef(f"component:default/{stack}"), name), Place(ROOT, f"{stack}/{name}")
    actual = Observed(id, place, revision, None, marked=True) if revision else None
    if part is None:
        return Diff(id, Action.DELETE, None, actual or Observed(id, place, "", None, marked=True))
    config = Config(id, None, Spec(), place, "digest")
    return Diff(id, Action.UPDATE if revision else Action.CREATE, config, actual, after=content(part))


async def live(target: StackTarget, name: str, stack: str = STACK) -> Observed | None:
    id = ConfigId("aws/x", EntityRef("component:default/payments"), name)
    return (await target.read(ROOT, {id: f"{stack}/{name}"})).get(id)


def outcomes(results: list[Result]) -> list[Outcome]:
    return [result.outcome for result in results]


async def client_call(aws: Aws, call: Callable[[Any], Any]) -> Any:
    """What a person does with AWS's own tools."""
    async with aws.client("cloudformation") as client:
        return await call(client)


async def by_hand(aws: Aws, edit: Callable[[dict[str, Any]], Any], stack: str = STACK) -> None:
    async def update(client: Any) -> None:
        template = (await client.get_template(StackName=stack))["TemplateBody"]
        edit(template)
        await client.update_stack(StackName=stack, TemplateBody=json.dumps(template))

    await client_call(aws, update)


async def test_create_nothing_drift_update_and_delete_converge(aws: Aws) -> None:
    target = aws.target()
    assert await target.revisions(ROOT, None) == {}
    made = await target.write([change("LogGroup", logs()), change("Queue", queue())], "key")
    assert outcomes(made) == [DONE, DONE]
    assert made[0].remote.startswith("arn:aws:cloudformation:eu-west-1:")
    assert made[0].reference.startswith("https://eu-west-1.console.aws.amazon.com/")
    assert aws.count("ExecuteChangeSet") == 1

    revisions = await target.revisions(ROOT, None)
    assert revisions == {f"{STACK}/LogGroup": made[0].revision, f"{STACK}/Queue": made[1].revision}
    assert await target.revisions(ROOT, [f"{STACK}/Queue", f"{STACK}/Other", "other/Queue"]) == {
        f"{STACK}/Queue": made[1].revision
    }
    found = await live(target, "LogGroup")
    assert found is not None
    assert (found.content, found.marked, found.remote) == (content(logs()), True, made[0].remote)
    assert outcomes(await target.write([change("LogGroup", logs(), revisions[f"{STACK}/LogGroup"])], "again")) == [
        UNCHANGED
    ]

    await by_hand(aws, lambda template: template["Resources"]["LogGroup"]["Properties"].update(RetentionInDays=7))
    edited = await live(target, "LogGroup")
    assert edited is not None
    assert edited.content == content(logs(7))
    stale, other = await target.write(
        [change("LogGroup", logs(90), made[0].revision), change("Queue", queue(60), made[1].revision)], "stale"
    )
    assert (stale.outcome, stale.temporary, other.outcome) == (FAILED, True, DONE)
    assert "changed since the plan" in stale.reason
    [updated] = await target.write([change("LogGroup", logs(90), edited.revision)], "update")
    assert updated.outcome is DONE
    assert (await target.revisions(ROOT, None))[f"{STACK}/LogGroup"] == updated.revision

    [gone] = await target.write([change("Queue", None, other.revision)], "delete")
    assert (gone.outcome, gone.revision, gone.remote) == (DONE, "", "")
    assert list(await target.revisions(ROOT, None)) == [f"{STACK}/LogGroup"]
    assert outcomes(await target.write([change("Queue", None, other.revision)], "delete")) == [UNCHANGED]
    assert outcomes(await target.write([change("LogGroup", None, updated.revision)], "last")) == [DONE]
    assert aws.count("DeleteStack") == 1
    assert await target.revisions(ROOT, None) == {}
    assert outcomes(await target.write([change("LogGroup", None, updated.revision)], "last")) == [UNCHANGED]


async def test_the_same_key_makes_a_change_once(aws: Aws) -> None:
    aws.lose = {"ExecuteChangeSet"}  # AWS did it, and the answer never came
    [made] = await aws.target().write([change("LogGroup", logs())], "key")
    assert made.outcome is DONE
    [again] = await aws.target().write([change("LogGroup", logs())], "key")  # as after a crash: another process
    assert (again.outcome, again.revision) == (UNCHANGED, made.revision)
    tokens = {asked["ClientRequestToken"] for asked in aws.asked if asked.get("Action") == "ExecuteChangeSet"}
    assert (len(tokens), aws.count("CreateChangeSet")) == (1, 1)


async def test_a_crash_before_execution_leaves_a_change_set_that_is_found_again(aws: Aws) -> None:
    aws.answers["ExecuteChangeSet"] = lambda _: refusal("AccessDenied", "not now", 403)
    [refused] = await aws.target().write([change("LogGroup", logs())], "key")
    assert (refused.outcome, refused.temporary) == (FAILED, False)
    assert "not now" in refused.reason
    assert await aws.target().revisions(ROOT, None) == {}  # a stack in review is nothing yet
    aws.answers.clear()
    assert outcomes(await aws.target().write([change("LogGroup", logs())], "key")) == [DONE]
    assert aws.count("CreateChangeSet") == 1


async def test_an_answer_that_never_comes_is_unknown(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nthlayer_sync.sdk.cloudformation.account.ATTEMPTS", 1)
    aws.answers["ExecuteChangeSet"] = lambda _: refusal("ServiceUnavailable", "overloaded", 503)
    [result] = await aws.target().write([change("LogGroup", logs())], "key")
    assert result.outcome is Outcome.UNKNOWN
    assert "overloaded" in result.reason


async def test_a_foreign_stack_is_refused(aws: Aws) -> None:
    template = json.dumps({"Resources": logs().resources})
    await client_call(aws, lambda client: client.create_stack(StackName=STACK, TemplateBody=template))
    target = aws.target()
    found = await live(target, "LogGroup")
    assert found is not None
    assert (found.marked, found.content) == (False, None)
    assert await target.revisions(ROOT, None) == {}
    [refused] = await target.write([change("LogGroup", logs(90))], "key")
    assert (refused.outcome, refused.temporary) == (FAILED, False)
    assert "does not bear our mark" in refused.reason
    [kept] = await target.write([change("LogGroup", None, "revision")], "key")
    assert kept.outcome is FAILED
    assert aws.count("CreateChangeSet") == aws.count("DeleteStack") == 0


async def test_another_installation_keeps_its_stacks(aws: Aws) -> None:
    await aws.target("theirs").write([change("LogGroup", logs())], "key")
    [refused] = await aws.target("ours").write([change("LogGroup", logs())], "key")
    assert "does not bear our mark" in refused.reason


async def test_what_people_add_to_a_stack_stays(aws: Aws) -> None:
    target = aws.target()
    [made] = await target.write([change("LogGroup", logs())], "key")
    added = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "theirs"}}
    await by_hand(aws, lambda template: template["Resources"].update(Queue=added))
    theirs = await live(target, "Queue")
    assert theirs is not None
    assert (theirs.marked, theirs.content) == (False, None)
    refused, updated = await target.write(
        [change("Queue", queue()), change("LogGroup", logs(90), made.revision)], "key"
    )
    assert (refused.outcome, updated.outcome) == (FAILED, DONE)
    assert outcomes(await target.write([change("LogGroup", None, updated.revision)], "key")) == [DONE]
    assert aws.count("DeleteStack") == 0
    template = (await client_call(aws, lambda client: client.get_template(StackName=STACK)))["TemplateBody"]
    assert template["Resources"] == {"Queue": added}


async def test_data_is_protected_by_the_stack_policy(aws: Aws) -> None:
    target = aws.target()
    first, second = await target.write([change("LogGroup", logs()), change("Queue", queue())], "key")

    async def policy() -> list[list[str]]:
        answer = await client_call(aws, lambda client: client.get_stack_policy(StackName=STACK))
        return [
            row["Resource"] for row in json.loads(answer["StackPolicyBody"])["Statement"] if row["Effect"] == "Deny"
        ]

    assert await policy() == [["LogicalResourceId/LogGroup"]]
    await target.write([change("LogGroup", None, first.revision)], "delete")  # which the policy must let pass
    bodies = [json.loads(asked["StackPolicyBody"]) for asked in aws.asked if asked.get("Action") == "SetStackPolicy"]
    assert [len(body["Statement"]) for body in bodies] == [2, 1, 1]  # after the creation, before and after the delete
    assert await policy() == []
    await target.write([change("Queue", None, second.revision)], "last")


async def test_a_replacement_of_data_is_refused_and_the_rest_is_made(aws: Aws) -> None:
    """Faked: moto tells no replacements."""
    target = aws.target()
    first, second = await target.write([change("LogGroup", logs()), change("Queue", queue())], "key")
    mark = "<LogicalResourceId>LogGroup</LogicalResourceId>"
    aws.rewrites["DescribeChangeSet"] = lambda text: text.replace(mark, f"{mark}<Replacement>True</Replacement>")
    refused, made = await target.write(
        [change("LogGroup", logs(90), first.revision), change("Queue", queue(60), second.revision)], "update"
    )
    assert (refused.outcome, made.outcome) == (FAILED, DONE)
    assert "replace or remove LogGroup, which holds data" in refused.reason
    found = await live(target, "LogGroup")
    assert found is not None
    assert found.content == content(logs())


async def test_a_failed_update_tells_each_reason(aws: Aws) -> None:
    """Faked: moto makes everything that it is asked for."""
    target = aws.target()
    first, second = await target.write([change("LogGroup", logs()), change("Queue", queue())], "key")
    events = [
        (STACK, "UPDATE_ROLLBACK_COMPLETE", ""),
        ("Queue", "UPDATE_FAILED", "Resource update cancelled"),
        ("LogGroup", "UPDATE_FAILED", "the limit of log groups is reached"),
        (STACK, "UPDATE_IN_PROGRESS", "User Initiated"),
        ("LogGroup", "CREATE_FAILED", "of an older attempt"),
    ]
    rows = "".join(
        f"<member><LogicalResourceId>{id}</LogicalResourceId><ResourceStatus>{status}</ResourceStatus>"
        f"<PhysicalResourceId>{first.remote if id == STACK else id}</PhysicalResourceId>"
        f"<ResourceStatusReason>{reason}</ResourceStatusReason></member>"
        for id, status, reason in events
    )
    aws.answers["DescribeStackEvents"] = lambda _: xml("DescribeStackEvents", f"<StackEvents>{rows}</StackEvents>")

    def execute(_: dict[str, str]) -> Any:
        aws.rewrites["DescribeStacks"] = lambda text: text.replace("CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")
        return xml("ExecuteChangeSet", "")

    aws.answers["ExecuteChangeSet"] = execute
    bad, good = await target.write(
        [change("LogGroup", logs(90), first.revision), change("Queue", queue(60), second.revision)], "update"
    )
    assert (bad.outcome, good.outcome) == (FAILED, FAILED)
    assert bad.reason == "LogGroup: the limit of log groups is reached"
    assert "rolled back with the rest" in good.reason
    assert "LogGroup: the limit" in good.reason
    assert bad.reference == first.reference


async def test_what_aws_does_not_count_as_a_change_is_remembered_as_it_is(aws: Aws) -> None:
    """Faked: moto counts everything."""
    target = aws.target()
    [made] = await target.write([change("LogGroup", logs())], "key")

    def nothing(text: str) -> str:
        failed = "<Status>FAILED</Status><StatusReason>The submitted information didn't contain changes.</StatusReason>"
        return text.replace("<Status>CREATE_COMPLETE</Status>", failed)

    aws.rewrites["DescribeChangeSet"] = nothing
    [result] = await target.write([change("LogGroup", logs(90), made.revision)], "update")
    assert (result.outcome, result.revision, result.content) == (UNCHANGED, made.revision, content(logs()))


async def test_a_change_set_that_cannot_be_made_says_why(aws: Aws) -> None:
    """Faked: moto takes any template."""
    reason = "Template error: instance of Fn::GetAtt references undefined resource Dead"
    aws.rewrites["DescribeChangeSet"] = lambda text: text.replace(
        "<Status>CREATE_COMPLETE</Status>", f"<Status>FAILED</Status><StatusReason>{reason}</StatusReason>"
    )
    [result] = await aws.target().write([change("LogGroup", logs())], "key")
    assert (result.outcome, result.temporary) == (FAILED, False)
    assert reason in result.reason
    assert aws.count("ExecuteChangeSet") == 0


async def test_a_stack_that_cannot_be_deleted_says_why(aws: Aws) -> None:
    """Faked: moto deletes everything."""
    target = aws.target()
    [made] = await target.write([change("Queue", queue())], "key")
    row = (
        "<member><LogicalResourceId>Queue</LogicalResourceId><ResourceStatus>DELETE_FAILED</ResourceStatus>"
        "<ResourceStatusReason>access denied</ResourceStatusReason></member>"
    )

    def delete(_: dict[str, str]) -> Any:
        aws.rewrites["DescribeStacks"] = lambda text: text.replace("CREATE_COMPLETE", "DELETE_FAILED")
        return xml("DeleteStack", "")

    aws.answers["DeleteStack"] = delete
    aws.answers["DescribeStackEvents"] = lambda _: xml("DescribeStackEvents", f"<StackEvents>{row}</StackEvents>")
    [result] = await target.write([change("Queue", None, made.revision)], "delete")
    assert (result.outcome, result.reason) == (FAILED, "Queue: access denied")


async def test_what_takes_too_long_is_unknown(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """Faked: moto is never busy."""
    monkeypatch.setattr("nthlayer_sync.sdk.cloudformation.change.PATIENCE", 0.3)

    def execute(_: dict[str, str]) -> Any:
        aws.rewrites["DescribeStacks"] = lambda text: text.replace("REVIEW_IN_PROGRESS", "CREATE_IN_PROGRESS")
        return xml("ExecuteChangeSet", "")

    aws.answers["ExecuteChangeSet"] = execute
    [result] = await aws.target().write([change("LogGroup", logs())], "key")
    assert result.outcome is Outcome.UNKNOWN
    [busy] = await aws.target().write([change("LogGroup", logs())], "key")
    assert (busy.outcome, busy.temporary) == (FAILED, True)
    assert "is being changed (CREATE_IN_PROGRESS)" in busy.reason


async def test_what_is_left_of_a_failed_creation_is_cleared_away(aws: Aws) -> None:
    """Faked: the status of the first attempt."""
    await aws.target().write([change("LogGroup", logs())], "key")

    def broken(text: str) -> str:
        return text if aws.count("DeleteStack") else text.replace("CREATE_COMPLETE", "ROLLBACK_COMPLETE")

    aws.rewrites["DescribeStacks"] = broken
    assert await aws.target().revisions(ROOT, None) == {}
    assert outcomes(await aws.target().write([change("LogGroup", logs(90))], "again")) == [DONE]
    assert aws.count("DeleteStack") == 1


def drifted(aws: Aws, id: str) -> None:
    """Have AWS find that the resource `id` was changed past the template."""
    now = datetime.now(UTC).isoformat()
    found = (
        f"<DriftInformation><StackDriftStatus>DRIFTED</StackDriftStatus><LastCheckTimestamp>{now}</LastCheckTimestamp>"
    )
    started = "<StackDriftDetectionId>1</StackDriftDetectionId>"
    row = (
        f"<member><StackId>x</StackId><LogicalResourceId>{id}</LogicalResourceId><ResourceType>AWS::X::Y</ResourceType>"
        "<StackResourceDriftStatus>MODIFIED</StackResourceDriftStatus><PropertyDifferences><member>"
        "<PropertyPath>/RetentionInDays</PropertyPath><ExpectedValue>30</ExpectedValue><ActualValue>1</ActualValue>"
        f"<DifferenceType>NOT_EQUAL</DifferenceType></member></PropertyDifferences><Timestamp>{now}</Timestamp></member>"
    )

    def detect(_: dict[str, str]) -> Any:
        ends = "</StackStatus>"
        aws.rewrites["DescribeStacks"] = lambda text: text.replace(ends, f"{ends}{found}</DriftInformation>")
        return xml("DetectStackDrift", started)

    aws.answers["DetectStackDrift"] = detect
    aws.answers["DescribeStackDriftDetectionStatus"] = lambda _: xml(
        "DescribeStackDriftDetectionStatus",
        f"<StackId>x</StackId>{started}<DetectionStatus>DETECTION_COMPLETE</DetectionStatus><Timestamp>{now}</Timestamp>",
    )
    aws.answers["DescribeStackResourceDrifts"] = lambda _: xml(
        "DescribeStackResourceDrifts", f"<StackResourceDrifts>{row}</StackResourceDrifts>"
    )


async def test_what_people_change_past_the_template_shows_and_can_be_set_back(aws: Aws) -> None:
    """Faked: moto knows no drift detection."""
    target = aws.target(drift_seconds=3600)
    first, second = await target.write([change("LogGroup", logs()), change("Queue", queue())], "key")
    drifted(aws, "LogGroup")
    revisions = await target.revisions(ROOT, None)
    assert revisions[f"{STACK}/LogGroup"] != first.revision
    assert revisions[f"{STACK}/Queue"] == second.revision
    found = await live(target, "LogGroup")
    assert found is not None
    assert json.loads(found.content or "")["Resources"]["LogGroup"]["Drift"] == {"/RetentionInDays": "1"}
    await target.revisions(ROOT, None)
    assert aws.count("DetectStackDrift") == 1  # an hour has not gone by

    assert outcomes(await target.write([change("Queue", queue(60), second.revision)], "other")) == [DONE]
    assert all("DeploymentMode" not in asked for asked in aws.asked)
    await target.write([change("LogGroup", logs(), found.revision)], "enforce")
    assert aws.asked[[asked.get("DeploymentMode") for asked in aws.asked].index("REVERT_DRIFT")]["ChangeSetName"]


async def test_drift_that_is_to_be_kept_is_not_set_back_with_other_drift(aws: Aws) -> None:
    """Faked: moto knows no drift detection."""
    target = aws.target(drift_seconds=0)
    first, _ = await target.write([change("LogGroup", logs()), change("Queue", queue())], "key")
    drifted(aws, "LogGroup")
    revisions = await target.revisions(ROOT, None)
    both = aws.answers["DescribeStackResourceDrifts"]({}).text or ""
    member = both[both.index("<member>") : both.rindex("</member>") + 9]
    text = both.replace(member, member + member.replace(">LogGroup<", ">Queue<"))
    aws.answers["DescribeStackResourceDrifts"] = lambda _: xml("X", "") if not text else _response(text)
    [refused] = await target.write([change("LogGroup", logs(), revisions[f"{STACK}/LogGroup"])], "enforce")
    assert refused.outcome is FAILED
    assert "Queue of the stack nthlayer-payments drifted too" in refused.reason
    assert first.revision


def _response(text: str) -> Any:
    from aiohttp import web

    return web.Response(text=text, content_type="text/xml")


async def test_a_stack_that_is_being_changed_is_no_ground_for_a_decision(aws: Aws) -> None:
    """Faked: moto is never busy."""
    target = aws.target()
    [made] = await target.write([change("LogGroup", logs())], "key")
    aws.rewrites["DescribeStacks"] = lambda text: text.replace("CREATE_COMPLETE", "UPDATE_ROLLBACK_FAILED")
    found = await live(target, "LogGroup")
    assert found is not None
    assert "a person has to continue or delete it" in found.trouble
    [refused] = await target.write([change("LogGroup", logs(90), made.revision)], "update")
    assert (refused.outcome, refused.temporary) == (FAILED, False)


async def test_throttling_is_waited_out(aws: Aws) -> None:
    """Faked: moto never throttles."""
    left = [1, 1]
    aws.answers["DescribeStacks"] = lambda _: refusal("Throttling", "Rate exceeded") if left and left.pop() else None
    assert await aws.target().revisions(ROOT, None) == {}
    assert aws.count("DescribeStacks") == 3


async def test_exports_are_made_before_what_imports_them(aws: Aws) -> None:
    """Faked: exports, and the stack that imports one: moto knows none that a change set made."""
    made: set[str] = set()
    rules = {"Fn::ImportValue": "web-group"}
    importing = Part({"Ingress": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": rules}}})
    exported = {"Value": {"Fn::GetAtt": ["Queue", "Arn"]}, "Export": {"Name": "web-group"}}
    exporting = Part(queue().resources, {"Arn": exported})

    def exports(_: dict[str, str]) -> Any:
        rows = "".join(f"<member><Name>{name}</Name></member>" for name in made)
        return xml("ListExports", f"<Exports>{rows}</Exports>")

    def execute(asked: dict[str, str]) -> Any:
        made.add("web-group")
        return xml("ExecuteChangeSet", "") if "payments" in asked["StackName"] else None

    aws.answers |= {"ListExports": exports, "ExecuteChangeSet": execute}
    target = aws.target()
    [waits] = await target.write([change("Ingress", importing)], "alone")
    assert (waits.outcome, waits.temporary) == (FAILED, True)
    assert "exports web-group yet" in waits.reason
    _, done = await target.write([change("Ingress", importing), change("Queue", exporting, stack="web")], "both")
    assert done.outcome is DONE
    stacks = [asked["StackName"] for asked in aws.asked if asked.get("Action") == "CreateChangeSet"]
    assert stacks == ["web", STACK]
    deleting = [change("Queue", None, done.revision, stack="web"), change("LogGroup", logs(), stack="other")]
    await target.write(deleting, "delete")
    last = [asked.get("Action") for asked in aws.asked]
    assert last.index("DeleteStack") > len(last) - 1 - last[::-1].index("ExecuteChangeSet")


async def test_a_part_that_moves_leaves_its_old_stack(aws: Aws) -> None:
    target = aws.target()
    old = change("Queue", queue(), stack="old")
    [made] = await target.write([old], "key")
    assert old.desired is not None
    moving = msgspec.structs.replace(change("LogGroup", logs()), was=old.desired.place)
    assert outcomes(await target.write([moving], "move")) == [DONE]
    assert list(await target.revisions(ROOT, None)) == [f"{STACK}/LogGroup"]
    assert made.revision


async def test_the_wrong_account_is_not_touched(aws: Aws) -> None:
    with pytest.raises(PermanentError, match="belong to account 123456789012, not to 999999999999"):
        await aws.target(id="999999999999").write([change("LogGroup", logs())], "key")
    assert aws.count("CreateChangeSet") == 0


async def test_a_role_is_assumed(aws: Aws) -> None:
    role = "arn:aws:iam::123456789012:role/nthlayer-sync"
    account = Account("123456789012", "eu-west-1", role=role, drift_seconds=None, endpoint=aws.url)
    target = StackTarget({ROOT: account}, "test")
    assert outcomes(await target.write([change("LogGroup", logs())], "key")) == [DONE]
    assert await target.revisions(ROOT, None)
    assert [asked["RoleArn"] for asked in aws.asked if asked.get("Action") == "AssumeRole"] == [role]


async def test_a_role_of_another_account_is_not_assumed(aws: Aws) -> None:
    account = Account("123456789012", "eu-west-1", role="arn:aws:iam::999999999999:role/x", endpoint=aws.url)
    with pytest.raises(PermanentError, match="belongs to another account"):
        await StackTarget({ROOT: account}, "test").revisions(ROOT, None)
    assert aws.asked == []


async def test_no_key_is_logged_at_any_level(aws: Aws, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    role = "arn:aws:iam::123456789012:role/nthlayer-sync"
    given: list[str] = []

    def remember(text: str) -> str:
        given.extend(re.findall(r"<(?:SecretAccessKey|SessionToken)>([^<]+)<", text))
        return text

    aws.rewrites["AssumeRole"] = remember
    account = Account("123456789012", "eu-west-1", role=role, endpoint=aws.url)
    await StackTarget({ROOT: account}, "test").revisions(ROOT, None)
    assert len(given) == 2
    assert not any(secret in caplog.text for secret in (*given, "testing"))


async def test_a_server_that_is_not_there_is_temporary(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("aiobotocore", reason=REASON)
    monkeypatch.setattr("nthlayer_sync.sdk.cloudformation.account.ATTEMPTS", 1)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    account = Account("123456789012", "eu-west-1", endpoint="http://127.0.0.1:1")
    with pytest.raises(TemporaryError, match="AWS cannot be reached"):
        await StackTarget({ROOT: account}, "test").revisions(ROOT, None)
    with pytest.raises(PermanentError, match="name no account and region aws:1/x"):
        await StackTarget({ROOT: account}, "test").revisions("aws:1/x", None)
