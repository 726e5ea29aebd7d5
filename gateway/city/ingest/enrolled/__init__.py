"""The enrolled gateways in memory."""
