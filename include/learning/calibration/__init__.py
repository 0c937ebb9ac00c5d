"""Turns a model's score into a probability that means what it says, and measures whether that helped."""
