"""Pull requests on code hosts: what lands in files is proposed to people, and a closed one is an answer.

proposals       one for each repository, kept as our branch is; what was declined
body            its text
host            what we need of a code host
github, gitlab  the hosts
"""

from nthlayer_sync.sdk.hosting.proposals import Configs, Hosting, Proposals, Proposed

__all__ = ["Configs", "Hosting", "Proposals", "Proposed"]
