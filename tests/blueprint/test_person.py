"""What a User's annotations say about the person, and how mistakes in them are reported."""

import pytest

from nthlayer_sync.blueprint.document import LONGEST_ANNOTATION
from nthlayer_sync.blueprint.person import PersonAnnotations, read_person


def test_a_person() -> None:
    said, wrong = read_person(
        {
            "nthlayer.dev/timezone": "Europe/Berlin",
            "nthlayer.dev/holidays": "DE-BY",
            "nthlayer.dev/badges": "[incident-commander, first-aid]",
            "nthlayer.dev/deployment.approvals": "2",
            "github.com/user-login": "ada",
        }
    )
    assert wrong == []
    assert (said.timezone, said.holidays, said.badges) == (
        "Europe/Berlin",
        "DE-BY",
        ("incident-commander", "first-aid"),
    )
    assert read_person({}) == (PersonAnnotations(), [])
    assert read_person({"nthlayer.dev/timezone": "null"}) == (PersonAnnotations(), [])


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("timezone", "Berlin", "nthlayer.dev/timezone: not in the IANA time zone database of this machine"),
        ("timezone", "../etc/passwd", "nthlayer.dev/timezone: not in the IANA time zone database"),
        ("holidays", "Bavaria", "nthlayer.dev/holidays: string should match pattern"),
        ("holidays", "XX", "nthlayer.dev/holidays: no country whose holidays are known"),
        ("holidays", "DE-XX", "nthlayer.dev/holidays: no part of DE whose holidays are known"),
        ("badges", "[Incident Commander]", "nthlayer.dev/badges: 0: string should match pattern"),
        ("badges", "incident-commander", "nthlayer.dev/badges: has to be a list"),
        ("badges", "x" * (LONGEST_ANNOTATION + 1), "nthlayer.dev/badges: longer than"),
        ("timezone.name", "UTC", "nthlayer.dev/timezone.name: has to be text"),
        ("timzone", "UTC", "nthlayer.dev/timzone: unknown annotation; did you mean 'timezone'?"),
    ],
)
def test_mistakes_are_errors_and_leave_the_value_out(name: str, text: str, said: str) -> None:
    found, (wrong,) = read_person({f"nthlayer.dev/{name}": text})
    assert found == PersonAnnotations()
    assert wrong.message.startswith(said)
    assert wrong.field == f"nthlayer.dev/{name}"
    assert len(wrong.found) <= 60
