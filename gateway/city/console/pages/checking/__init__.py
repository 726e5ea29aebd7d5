"""What is checked on site: findings of evidence, samples of machines."""
