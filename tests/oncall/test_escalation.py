"""Who is called after whom, and who takes which role."""

from __future__ import annotations

import pytest

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.oncall.duty import Unstaffed
from nthlayer_sync.oncall.escalation import Escalation, Level, Responders, escalation_of, responders_of
from tests.oncall.crews import person, team_of

ADA, BOB = "ada@example.com", "bob@example.com"
CREW = (person("ada", badges=("incident-commander", "team-lead")), person("bob", badges=("incident-communications",)))


def test_levels_by_tier() -> None:
    first = Escalation((Level("primary", 15), Level("secondary", 15), Level("people", 30, (ADA,))), 2)
    assert escalation_of(team_of(*CREW)) == first
    assert escalation_of(team_of(*CREW, tier="2")) == Escalation((Level("primary", 30), Level("secondary", 30)), 2)
    assert escalation_of(team_of(*CREW, tier="3")) == Unstaffed("tier 3 calls nobody")


def test_levels_as_written() -> None:
    found = escalation_of(team_of(*CREW, escalation=["5m"] * 4, loops=0))
    assert isinstance(found, Escalation)
    assert [level.calls for level in found.levels] == ["primary", "secondary", "people", "people"]
    assert escalation_of(team_of(*CREW, escalation=[])) == Escalation((Level("primary", 5),), 2)
    assert escalation_of(team_of(*CREW, escalation=["90s"], loops=1)) == Escalation((Level("primary", 2),), 1)


def test_without_leads_everybody_is_called_last() -> None:
    found = escalation_of(team_of(person("ada"), person("bob")))
    assert isinstance(found, Escalation)
    assert found.levels[-1].people == (ADA, BOB)


def test_a_team_of_one_calls_that_one() -> None:
    assert escalation_of(team_of(person("ada"))) == Escalation((Level("people", 30, (ADA,)),), 2)
    with pytest.raises(PermanentError, match="nobody would be on call"):
        escalation_of(team_of())


def test_roles_follow_from_badges() -> None:
    assert responders_of(team_of(*CREW)) == Responders((ADA,), (BOB,))
    assert responders_of(team_of(*CREW, tier="2")) == Responders()
