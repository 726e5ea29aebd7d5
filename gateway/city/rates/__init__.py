"""Equipment networking rates: definitions as data, computation, results."""
