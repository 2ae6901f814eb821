"""Live objects behind a vendor's REST API: a kind says what they hold, a collection where they are.

collection  where the objects of one sort are, and how they are listed, made, changed and removed
nested      objects that stand inside others
paging      how a list is read to its end
mark        how an object shows that it is ours
kind        one kind of config that lands as such an object
account     what is there, by name and by the vendor's id
shelves     lists of it, read when they are needed
target      reads and writes them, never a second time and never what is not ours
plugin      a plugin whose configs land there
"""

from nthlayer_sync.sdk.rest.account import Account
from nthlayer_sync.sdk.rest.collection import Collection, Json
from nthlayer_sync.sdk.rest.kind import RestKind, label
from nthlayer_sync.sdk.rest.mark import InTags, InText
from nthlayer_sync.sdk.rest.nested import Nested
from nthlayer_sync.sdk.rest.paging import Cursor, Linked, Numbered, Offset, Whole
from nthlayer_sync.sdk.rest.plugin import RestPlugin, RestSettings
from nthlayer_sync.sdk.rest.target import RestTarget

__all__ = [
    "Account",
    "Collection",
    "Cursor",
    "InTags",
    "InText",
    "Json",
    "Linked",
    "Nested",
    "Numbered",
    "Offset",
    "RestKind",
    "RestPlugin",
    "RestSettings",
    "RestTarget",
    "Whole",
    "label",
]
