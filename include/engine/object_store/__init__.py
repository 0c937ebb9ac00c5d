"""Where raw objects are listed and fetched: a local folder, or S3 and what stands in for it."""
