"""Cortex.io: its entity descriptors, from files or from its API, as entities and edges.

descriptor   one descriptor, checked
translate    descriptors to entities and edges
files        descriptors kept as files
service      descriptors, owners and teams over the API
"""

from nthlayer_sync.sources.cortex.files import PATTERNS, cortex_directory
from nthlayer_sync.sources.cortex.service import CortexSource

__all__ = ["PATTERNS", "CortexSource", "cortex_directory"]
