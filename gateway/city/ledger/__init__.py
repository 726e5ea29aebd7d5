"""The equipment ledger: enterprises, equipment, rosters, gateways; import and templates."""
