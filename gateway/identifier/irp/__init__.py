"""The native protocol of the Handle System, octets only: nothing here opens a connection. Pure.

RFC 3651 and 3652 as implementations read them, and DO-IRP 3.0 where it says the same. ``message``
frames, ``bodies`` fills, ``values`` and ``data`` are what handles hold, ``proofs`` answers
challenges, ``placing`` chooses a server of a site.
"""
