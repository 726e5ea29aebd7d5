"""What people ask of devices: it runs beside their readings, never amid one."""
