"""Planned stops of machines: who said so, of which machines and days, and by which document."""
