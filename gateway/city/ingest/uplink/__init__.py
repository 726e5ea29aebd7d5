"""What the gateways send, and how they are answered."""
