"""Faces of the node that speak HTTP; they translate, and decide nothing."""
