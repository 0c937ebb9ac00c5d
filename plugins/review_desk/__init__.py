"""The Review desk: the page on which people answer, one key for each class."""
