"""The demonstration: starts the real edge, city and simulators as processes of their own.

Nothing in it is special: it writes configurations that a factory and a bureau could have
written, enrols the gateways, imports a ledger, and runs the ordinary commands.
"""
