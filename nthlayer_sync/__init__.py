"""Define a service once; everything operational follows."""

__version__ = "0.1.0"
