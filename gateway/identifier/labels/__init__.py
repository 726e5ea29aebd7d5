"""Labels of machines: a QR code and what people read, as a sheet to print or for a printer."""
