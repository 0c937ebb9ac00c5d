"""The service over HTTP: the one place of `include` that knows a web framework."""
