"""Types of machines: one module a line, each with the manuals of its machines."""

from simulators.machines import bearing, common, door, fire, paper, press
from simulators.manual import Manual

MANUALS: dict[str, Manual] = {
    manual.name: manual
    for module in (common, bearing, door, paper, fire, press)
    for manual in module.MANUALS
}
"""Every type of machine by profile name."""
