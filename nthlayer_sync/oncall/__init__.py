"""Who is on call when, before any vendor's notation: what PagerDuty's and Opsgenie's schedules are made from.

    Team ──duty_of──▶ Duty: primary and secondary Schedule ──▶ a kind writes it in its vendor's terms
                         │
                         └── Schedule: layers; Layer: members who take turns, restricted to some hours of the week

A schedule is *anchored*: its layers say when a first turn began. The anchor is a fixed Monday, never today, so the same
team gives the same schedule on every day. What is compared with the live schedule is its `canonical` form, which
leaves out whose turn it is; what is written is `keeping(live, desired, now)`, the desired rotation turned so that
whoever is on call at that moment stays until the next hand-off. So an apply changes nobody's evening, and the plan
after it is empty.

No two layers cover the same moment, because vendors differ about it: in PagerDuty the later layer wins, in Opsgenie
both people are called. All times are those of the clock on the wall in the schedule's time zone, so a hand-off at nine
stays at nine when clocks change; around the world it is UTC, which never does.

Public holidays are no part of a schedule, because they are dated: `holidays.covers` says which overrides are still to
be added up to a horizon that moves four times a year. Overrides are only ever added.

- `members`, `policy`: the people and the rules, read from a team
- `duty`, `regions`, `week`: the schedules that follow from them
- `schedule`: the form they have; `clock`: wall clocks and instants
- `simulate`: who is on call when; gaps and overlaps; the next weeks
- `keep`: turns a schedule so that who is on call now stays
- `holidays`: overrides for public holidays
- `rota`: the two schedules of a team as configs, and what is written to bring them about
- `escalation`: who is called after whom, and who takes which role in an incident
"""
