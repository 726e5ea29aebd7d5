"""Point tables that are written: templates and exports, and what an import does to a device."""
