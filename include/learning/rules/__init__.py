"""Rules "the text contains X": mined from labels, measured, approved by a person."""
