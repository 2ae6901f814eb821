"""Contact files: who answers for a service, in a form that scripts read."""

from nthlayer_example.contact import CONTACT
from nthlayer_sync.sdk.kind import Category
from nthlayer_sync.sdk.plugin import OperationalPlugin


class Plugin(OperationalPlugin):
    """One contact file for every service that has an owner."""

    name = "example"
    version = "1.0.0"
    category = Category.COMMUNICATION
    summary = "contact files"
    kinds = (CONTACT,)
