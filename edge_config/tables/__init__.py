"""Tables that people keep in CSV and XLSX files, as rows of texts with what is odd about them."""
