"""Which reading of some registers is what a panel shows. Pure; command and pages use it."""
