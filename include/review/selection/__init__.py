"""Which items people should see, and how a batch is made up."""
