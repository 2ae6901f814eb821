"""One pull request for each repository, kept as our branch is; what people declined is not proposed again.

Nothing is remembered here: the branch says what is proposed, the body of the pull request bears its checksum, and the
host keeps the commit of one that was closed, so that what was declined can be read from it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from nthlayer_sync.git import Offer, Repository
from nthlayer_sync.model.config import ConfigId
from nthlayer_sync.sdk.hosting.address import parts
from nthlayer_sync.sdk.hosting.body import File, body_of, checksum, checksum_of, title_of
from nthlayer_sync.sdk.hosting.host import Branches, Host, Proposal, PullRequest, State
from nthlayer_sync.sdk.http import BadRequest, Conflict, Unsure

REVIEWERS = 15
"""Most that are asked for a review; those with most files first."""


class Hosting(msgspec.Struct, frozen=True, kw_only=True):
    """A code host: the host name in the addresses of its repositories, and how we propose there.

    `land` says what is done where `repositories` (by `organisation/repository`) says nothing else: `propose` opens pull
    requests, `commit` leaves it at the commit on our branch.
    """

    name: str
    host: Host
    labels: tuple[str, ...] = ()
    draft: bool = False
    land: Literal["propose", "commit"] = "propose"
    repositories: Mapping[str, Literal["propose", "commit"]] = {}


class DeclinedFile(msgspec.Struct, frozen=True):
    """One file as people declined it, and why it is not in force."""

    offer: Offer
    reason: str


class Proposed(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the pull request of one repository; `trouble` says why it could not be opened or updated."""

    root: str
    did: Literal["opened", "updated", "unchanged", "closed", "declined", "failed"]
    url: str = ""
    files: int = 0
    trouble: str = ""


class Configs(msgspec.Struct, frozen=True):
    """The configs in one file, and who is to be asked about them, as the host calls them."""

    ids: tuple[ConfigId, ...] = ()
    reviewers: tuple[str, ...] = ()


Describe = Callable[[], Awaitable[Mapping[str, Configs]]]
"""Gives the configs of a repository by path."""


class Proposals:
    """The pull requests of all repositories on hosts that the settings name."""

    def __init__(self, hostings: Sequence[Hosting] = ()) -> None:
        self._hostings = {hosting.name.lower(): hosting for hosting in hostings}
        self._declined: dict[str, dict[str, DeclinedFile]] = {}
        self._looked: dict[tuple[str, int, str, str], PullRequest] = {}

    def takes(self, root: str) -> bool:
        """Whether changes of this repository are proposed; `root` is its address as the catalog gives it."""
        return self._find(root) is not None

    def declined(self, root: str) -> Mapping[str, DeclinedFile]:
        """The files that people declined and that are not so all the same, by path, as `heed` found them last."""
        return self._declined.get(root, {})

    async def heed_once(self, root: str, repository: Repository) -> None:
        """The same as `heed`, unless that was done, or `nothing_declined` said."""
        if root not in self._declined:
            await self.heed(root, repository)

    def nothing_declined(self, root: str) -> None:
        """The host need not be asked: nothing of ours is on its way to this repository, or was lately."""
        self._declined[root] = {}

    async def heed(self, root: str, repository: Repository) -> None:
        """Ask the host what people declined; a branch that holds only that is left out of the repository."""
        found = self._find(root)
        if found is None or not await repository.default_branch():
            return
        hosting, where = found[0], await _branches(found[1], repository)
        requests = await hosting.host.find(where)
        tip = await repository.branch_tip()
        states = [request.state for request in requests]
        if tip and states[:1] == [State.CLOSED] and State.OPEN not in states:
            same = checksum_of(requests[0].body) == checksum(await repository.proposed())
            if requests[0].head == tip or same:
                await repository.leave_out(tip)
        declined: dict[str, DeclinedFile] = {}
        for request in requests:
            if request.state is State.CLOSED:
                looked = await self._look(hosting.host, where, request)
                for path, offer in (await repository.offered(looked.head, looked.ref, looked.base)).items():
                    declined.setdefault(path, DeclinedFile(offer, looked.declined))
        live = await repository.listing(await repository.tree(), sorted(declined)) if declined else {}
        self._declined[root] = {path: each for path, each in declined.items() if live.get(path) != each.offer.after}

    async def propose(self, root: str, repository: Repository, plan: str, describe: Describe) -> Proposed | None:
        """Bring the pull request to where our branch is; None where there is none and none is needed.

        `plan` is the plan that was applied last.
        """
        found = self._find(root)
        if found is None or not await repository.default_branch():
            return None
        await self.heed_once(root, repository)
        hosting, where = found[0], await _branches(found[1], repository)
        offers = await repository.proposed()
        requests = await hosting.host.find(where)
        present = next((request for request in requests if request.state is State.OPEN), None)
        own = checksum(offers)
        if present is None:
            if not offers:
                return None
            if refused := next((r for r in requests if r.state is State.CLOSED and checksum_of(r.body) == own), None):
                return Proposed(root=root, did="declined", url=refused.url, files=len(offers))
        elif own == checksum_of(present.body) and present.labels.issuperset(hosting.labels):
            return Proposed(root=root, did="unchanged", url=present.url, files=len(offers))
        proposal = await _proposal(hosting, repository, offers, plan, await describe())
        if present is None:
            return await _opened(root, hosting.host, where, proposal, len(offers))
        if not offers:
            await hosting.host.close(where, present, proposal)
            return Proposed(root=root, did="closed", url=present.url)
        await hosting.host.update(where, present, proposal)
        return Proposed(root=root, did="updated", url=present.url, files=len(offers))

    async def _look(self, host: Host, where: Branches, request: PullRequest) -> PullRequest:
        """A closer look at one that was closed; it does not change any more, unless it is opened again."""
        key = (where.slug, request.number, request.head, request.closed_on)
        if key not in self._looked:
            self._looked[key] = await host.look(where, request)
        return self._looked[key]

    def _find(self, root: str) -> tuple[Hosting, str] | None:
        """The host of a repository and its name there, where its changes are proposed."""
        name, slug = parts(root)
        hosting = self._hostings.get(name)
        if hosting is None or "/" not in slug:
            return None
        return (hosting, slug) if hosting.repositories.get(slug, hosting.land) == "propose" else None


async def _branches(slug: str, repository: Repository) -> Branches:
    return Branches(slug, repository.branch, await repository.default_branch())


async def _proposal(
    hosting: Hosting, repository: Repository, offers: Mapping[str, Offer], plan: str, configs: Mapping[str, Configs]
) -> Proposal:
    files = [File(path, offer, configs.get(path, Configs()).ids) for path, offer in sorted(offers.items())]
    return Proposal(
        title=title_of(files),
        body=await body_of(files, checksum(offers), plan, repository.blobs),
        labels=hosting.labels,
        reviewers=_reviewers(configs[path] for path in offers if path in configs),
        draft=hosting.draft,
    )


async def _opened(root: str, host: Host, where: Branches, proposal: Proposal, files: int) -> Proposed:
    """Open it; where that has an uncertain end, or it is there already, look again and never open a second."""
    try:
        request = await host.open(where, proposal)
    except (Unsure, Conflict, BadRequest):
        found = [request for request in await host.find(where) if request.state is State.OPEN]
        if not found:
            raise
        request = found[0]
        await host.update(where, request, proposal)
    return Proposed(root=root, did="opened", url=request.url, files=files)


def _reviewers(configs: Iterable[Configs]) -> tuple[str, ...]:
    count = Counter(name for each in configs for name in each.reviewers)
    return tuple(sorted(count, key=lambda name: (-count[name], name))[:REVIEWERS])
