"""Quality tiers of drivers: what each claims, whether that is proven, and the page of drivers."""
