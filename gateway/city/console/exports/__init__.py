"""Files and sheets that leave the console."""
