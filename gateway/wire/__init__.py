"""The messages between edge and city: topics, encode, decode. Pure."""
