"""Commands that ask a device: through the gateway that runs, or alone where none does."""
