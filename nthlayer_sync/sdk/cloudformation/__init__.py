"""CloudFormation as a target: one stack a service, each config a named part of the stack's template.

`part` is what a config is and how it stands in a template; `kind` the row a plugin writes; `account` the way to one
AWS account and region; `stack` what is live; `drift` what people changed past the template; `changeset` how a stack is
changed; `target` puts them together. Only `account` knows aiobotocore, which it imports when it is first needed.
"""

from nthlayer_sync.sdk.cloudformation.account import Account
from nthlayer_sync.sdk.cloudformation.kind import StackKind
from nthlayer_sync.sdk.cloudformation.part import Part, retained
from nthlayer_sync.sdk.cloudformation.target import StackTarget

__all__ = ["Account", "Part", "StackKind", "StackTarget", "retained"]
