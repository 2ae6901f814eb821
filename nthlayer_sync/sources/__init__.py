"""The places that facts come from: directories, Git repositories, Backstage, Cortex, and what code itself tells.

Each source turns what it finds into a `Snapshot`: entities, edges and facts, with a diagnosis for everything that it
had to leave out. Sources know nothing of each other; which one wins is decided where the graph is built.
"""
