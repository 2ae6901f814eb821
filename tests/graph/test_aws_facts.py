"""What AWS calls things reaches those that depend on them."""

from nthlayer_sync.model.ref import entity_ref

A, B = (entity_ref("component", name) for name in "ab")


def test_neighbours_know_accounts_and_arns(view, describe) -> None:
    here = {"amazonaws.com/account-id": "123456789012"}
    arn = "arn:aws:s3:::receipts"
    subjects = view(
        describe("component:a", tier="1", dependsOn=["resource:files", "component:b"], annotations=here),
        describe("component:b", tier="1"),
        describe("resource:files", annotations={"amazonaws.com/arn": arn}),
    )
    assert {other.name: other.arn for other in subjects.get(A).depends_on} == {"files": arn, "b": ""}
    assert [other.account for other in subjects.get(B).dependents] == ["123456789012"]
    moved = describe("component:a", tier="1", dependsOn=["component:b"], annotations={"amazonaws.com/account-id": "2"})
    subjects.forget(subjects.graph.update("backstage", [moved]))
    assert [other.account for other in subjects.get(B).dependents] == ["2"]
