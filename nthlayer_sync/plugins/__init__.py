"""One folder for each vendor or format; a kind is a file in it.

Plugins do not know each other: they name each other's kinds by string, and deleting a folder removes all of it. Nothing
central lists them: `sdk/discover.py` finds the folders here and the entry points that others install.
"""
