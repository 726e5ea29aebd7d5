"""Looking for Modbus units, and for values in them."""
