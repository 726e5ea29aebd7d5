"""What people do about identifiers: progress, import, write-back, carriers."""
