"""Pull requests on code hosts: what lands in files is proposed to people, and a closed one is an answer.

proposals       one for each repository, kept as our branch is; what was declined
body            its text
host            what we need of a code host
github, gitlab  the hosts
reviews         what we need of a code host to comment on requests of people
github_reviews, gitlab_reviews  the hosts
markup          foreign text in their Markdown
address         which host a repository is on
"""

from nthlayer_sync.sdk.hosting.proposals import Configs, Hosting, Proposals, Proposed

__all__ = ["Configs", "Hosting", "Proposals", "Proposed"]
