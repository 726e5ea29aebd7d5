"""What is made of the rates of enterprises: points, and how they are spread."""
