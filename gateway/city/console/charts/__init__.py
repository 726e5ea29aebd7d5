"""Charts as specifications and as pictures."""

from gateway.deferred import defer

defer("altair")  # a quarter of what a console loads, and nothing is drawn before the first page
