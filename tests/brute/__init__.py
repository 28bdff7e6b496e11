"""The definition of a match, read by brute force: what the engine is held against."""
