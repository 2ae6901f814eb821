"""How a service is checked and delivered, before any vendor's notation: the policy that every CI pipeline is made from.

`policy` reads it from a service, `commands` knows what to run for each check, and `scripts/` holds the shell scripts
that every pipeline runs: the guard of the deployment window, the delivery step by step, the way back. Scripts are
constants and get what differs as environment variables, so that no catalog value ever stands in a script.
"""
