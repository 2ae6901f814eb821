"""Git as a place to read from and to land files in: repositories without a work tree, one commit on a stable branch.

    Repository     what others use: fetch, tree, listing, moved, blobs, file, commit, head, authors
      mirror       the local bare copy
      effective    where both branches stand, and the tree that comes of it
      change       what files do to a tree, worked out in memory
      offer        what a commit offered that was not merged
      commit       one commit written and pushed forward
      objects      Git's formats and reading many objects
      history      people and times, by GitPython
      process      the closed environment in which `git` runs
      address, paths   what may be given to Git

Needs Git 2.38 or newer (`git merge-tree --write-tree`).
"""

from nthlayer_sync.git.address import redact
from nthlayer_sync.git.change import Blocked
from nthlayer_sync.git.objects import blob_sha
from nthlayer_sync.git.offer import Offer
from nthlayer_sync.git.paths import check_branch, check_path
from nthlayer_sync.git.repository import Commit, Repository

__all__ = ["Blocked", "Commit", "Offer", "Repository", "blob_sha", "check_branch", "check_path", "redact"]
