"""What a plugin, a source or a store is written against.

plugin     a folder of kinds            quote      strangers' values, safe in each notation
kind       one kind of config           template   Jinja, for prose and scripts
ownership  which part of a file is ours testing    golden cases for a plugin's tests
target     where configs live           source     where facts come from
files      the target for files in Git  store      what is remembered
discover   finding plugins by name      http       asking other systems, with manners
secrets    where secrets are looked up  redact     no secret in any text
"""
