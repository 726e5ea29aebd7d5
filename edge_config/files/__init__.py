"""Reading YAML, CSV and XLSX with the line of everything."""
