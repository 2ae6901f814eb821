"""One graph of who owns and needs what, from all sources, and the views of it that configs are generated from.

    relations    what one entity says about others, as edges that point one way
    adjacency    edges by both ends, and questions of one step
    build        the graph: which source wins, what is new
    affected     whose view a change may alter
    conflicts    where sources contradict each other
    contacts     who can be reached behind an owner
    technology   what a dependency runs on, what a service is written in
    homes        where the files of a subject go
    subjects     services, teams and the organisation with all that a generator may look at
    query        questions to the whole graph: cycles, orphans, dead owners, tier inversions, blast radius
    ceiling      what dependencies leave of an availability objective
    draw         pictures of it

The graph is kept up to date in steps: a change costs in proportion to what it touches. Adjacency is plain dicts,
because views walk one or two steps 10,000 times; rustworkx answers questions about the whole.
"""
