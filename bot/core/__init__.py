"""Every decision of the house, pure: values in, a decision with its reason out."""
