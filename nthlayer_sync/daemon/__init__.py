"""The daemon: what runs all the time, alone or as several replicas.

leader     one replica reads the sources, sees whether live systems moved, and asks for what follows
versions   while replicas are replaced one by one, only the newest of them write
waves      a change that touches everything goes out in steps
worker     every replica takes subjects that are asked for, plans them and applies what may be applied
claims     what a replica works on stays its own while it does
policies   what a write waits for: approvals, freezes, windows, pauses, guards
desk       what people and programs may ask of it
previews   what merging a pull request would change
telemetry  how it shows itself

Whoever learns that something may have changed only asks for subjects in the work set; nothing is done on an event's
word.
"""
