"""Commands for getting to know machines, and for writing down what they are."""
