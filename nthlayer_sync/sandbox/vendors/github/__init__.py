"""GitHub, REST API: an organisation with people, teams and repositories; rulesets, environments, pull requests.

Rules are those of https://docs.github.com/en/rest: pages by `Link` header, `ETag` on reads, errors are `{message,
errors, documentation_url}`. Branches are pushed over Git, which the sandbox does not see: any branch that is named is
taken to be there.
"""

from __future__ import annotations

from typing import Any

from nthlayer_sync.sandbox.collection import Collection, Item, Shape
from nthlayer_sync.sandbox.ids import IdMaker, number
from nthlayer_sync.sandbox.paging import linked
from nthlayer_sync.sandbox.people import ORGANISATION, PEOPLE, REPOSITORIES, TEAMS
from nthlayer_sync.sandbox.tool import Call, Handler, Reply, Tool
from nthlayer_sync.sandbox.vendors.github.environments import Environments
from nthlayer_sync.sandbox.vendors.github.pulls import Pulls
from nthlayer_sync.sandbox.vendors.github.rulesets import Rulesets
from nthlayer_sync.sandbox.vendors.github.shape import organisation, repository, team, user

_DOCUMENTATION = "https://docs.github.com/rest"


class GitHub(Tool):
    """The stand-in of https://api.github.com."""

    name = "github"
    host = "https://api.github.com"
    token = "ghp_sandbox"  # noqa: S105 - it opens nothing but the sandbox
    etags = True

    def serve(self) -> None:
        """Make the collections and routes."""
        self.users = self._named("users", "login")
        self.teams = self._named("teams", "slug")
        self.repositories = self._named("repositories", "full_name")
        reads: dict[str, Handler] = {
            "/user": lambda call: Reply(200, self._user(PEOPLE[0].login)),
            "/users/{login}": lambda call: Reply(200, self._user(call.params["login"])),
            "/search/users": self._search,
            "/orgs/{org}": lambda call: Reply(200, organisation(self.url, full=True)),
            "/orgs/{org}/members": lambda call: linked()(call, self.users.listed(), "", lambda item: item),
            "/orgs/{org}/repos": lambda call: linked()(call, self.repositories.listed(), "", lambda item: item),
            "/orgs/{org}/teams": lambda call: linked()(call, self.teams.listed(), "", _short),
            "/orgs/{org}/teams/{slug}": lambda call: Reply(200, _long(self._team(call.params["slug"]), self.url)),
            "/orgs/{org}/teams/{slug}/members": self._members,
            "/repos/{owner}/{repo}": lambda call: Reply(200, self.repository(call)),
        }
        for path, handler in reads.items():
            self.route("GET", path, handler)
        Rulesets(self)
        Environments(self)
        Pulls(self)

    def seed_people(self) -> None:
        """Every person, team and repository."""
        for person in PEOPLE:
            self.users.add(user(self.url, self.users.new_id(), person.login))
        for slug, title in TEAMS.items():
            self.teams.add(team(self.url, self.teams.new_id(), slug, title))
        for name in REPOSITORIES:
            self.repositories.add(repository(self.url, self.repositories.new_id(), name, self.time()))

    def settings(self) -> dict[str, Any]:
        """With the organisation."""
        return super().settings() | {"organisation": ORGANISATION}

    def refused(self, status: int, *messages: str) -> Reply:
        """A message; what is invalid is listed."""
        words = {401: "Bad credentials", 404: "Not Found", 422: "Validation Failed"}
        body: Item = {"message": words.get(status, "; ".join(messages)), "documentation_url": _DOCUMENTATION}
        if status == 422:
            errors = [{"resource": "Request", "code": "custom", "message": message} for message in messages]
            return Reply(422, body | {"errors": errors})
        return Reply(status, body | {"status": str(status)})

    def limited(self, wait: int) -> Reply:
        """The secondary limit (https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api)."""
        reply = super().limited(wait)
        reply.headers |= {"x-ratelimit-remaining": "0", "x-ratelimit-limit": str(int(self.rate))}
        reply.headers["x-ratelimit-reset"] = str(int(self.now().timestamp()) + wait)
        return reply

    def ids(self, name: str) -> IdMaker:
        """Numbers; different ones for each kind."""
        starts = ("users", "teams", "repositories", "rulesets", "environments", "pulls")
        return number(1_000_000 * (starts.index(name) + 1) if name in starts else 9_000_000)

    def repository(self, call: Call) -> Item:
        """The repository that the path names; raises 404."""
        found = self.repositories.find("full_name", f"{call.params['owner']}/{call.params['repo']}")
        if found is None:
            raise self.refuse(404)
        return found

    def _named(self, name: str, title: str) -> Collection:
        return self.collection(Shape(name=name, new_id=self.ids(name), title=title, unique=(title,)))

    def _user(self, login: str) -> Item:
        found = self.users.find("login", login)
        if found is None:
            raise self.refuse(404)
        person = next((each for each in PEOPLE if each.login == found["login"]), None)
        counts: Item = {"public_repos": 0, "public_gists": 0, "followers": 0, "following": 0}
        about: Item = {"company": None, "blog": None, "location": None, "hireable": None, "bio": None}
        about |= {"name": person.name if person else None, "email": person.email if person else None}
        return {**found, **counts, **about, "created_at": self.time(), "updated_at": self.time()}

    def _team(self, slug: str) -> Item:
        found = self.teams.find("slug", slug)
        if found is None:
            raise self.refuse(404)
        return found

    def _members(self, call: Call) -> Reply:
        slug = self._team(call.params["slug"])["slug"]
        inside = [person.login for person in PEOPLE if person.team == slug]
        found = [each for each in self.users.listed() if each["login"] in inside]
        return linked()(call, found, "", lambda item: item)

    def _search(self, call: Call) -> Reply:
        words = [word for word in call.asked("q").casefold().split() if not word.startswith(("in:", "type:"))]
        wanted = {person.login for person in PEOPLE if all(word in (person.email, person.login) for word in words)}
        found = [{**each, "score": 1.0} for each in self.users.listed() if each["login"] in wanted]
        return Reply(200, {"total_count": len(found), "incomplete_results": False, "items": found})


def _short(item: Item) -> Item:
    return item | {"parent": None}


def _long(item: Item, url: str) -> Item:
    long: Item = {"members_count": 2, "repos_count": 1, "organization": organisation(url, full=True)}
    times = {"created_at": "2026-01-05T09:00:00Z", "updated_at": "2026-01-05T09:00:00Z"}
    return {**_short(item), **long, **times}
