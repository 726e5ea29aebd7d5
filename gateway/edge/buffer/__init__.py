"""The durable buffer: store-and-forward of frames with the books that count them."""
