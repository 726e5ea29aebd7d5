"""qulink: edge gateway and city platform for networked factory equipment."""

__version__ = "0.1.0"
