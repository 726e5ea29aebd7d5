"""How a machine is named: enterprise, site and asset number, and when two numbers are one. Pure."""

from typing import NamedTuple

from edge_config.models.ledger_number import key_of


class MachineName(NamedTuple):
    """A machine as people and edges write it.

    Attributes:
        uscc: unified social credit code of the enterprise.
        site_no: site of the enterprise, as written.
        asset_no: number of the enterprise's ledger, as written.
    """

    uscc: str
    site_no: str
    asset_no: str

    @property
    def key(self) -> "MachineName":
        """The same name as it is compared; names with equal keys mean one machine."""
        return MachineName(self.uscc, key_of(self.site_no), key_of(self.asset_no))


NOBODY = MachineName("", "", "")
"""No machine has this name."""
