"""Who may come in, and as what.

door        lets a request in or refuses it
loopback    who may come in where nobody is named: programs and pages of this machine
static      tokens that the settings name by their digest
signed      what is asked of every signed token
keys        the keys that an issuer publishes
backstage   users and plugins of a Backstage
oidc        users of an OpenID provider
failures    addresses that fail to log in too often
roles       the role of who has several
"""
