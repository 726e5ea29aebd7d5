"""What an operator may write: the models of edge and city."""
