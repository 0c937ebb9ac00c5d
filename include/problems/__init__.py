"""Problem files and the model that reads them: one file says everything about one problem."""
