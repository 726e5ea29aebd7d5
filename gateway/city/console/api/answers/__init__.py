"""What is answered: each module has the models of its answers and who makes them."""
