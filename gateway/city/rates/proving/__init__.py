"""Why a machine is counted in a month, day by day."""
