"""Codes of the identifier systems: parsed, checked, brought into one form, converted. Pure.

One module a system; ``classify`` says which of them a text may belong to.
"""
