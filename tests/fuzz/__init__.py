"""Bodies that no server should send, by the million, and what must hold of each."""
