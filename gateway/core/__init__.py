"""Values and rules that edge and city share. Pure: no I/O, no clock, no logging."""
