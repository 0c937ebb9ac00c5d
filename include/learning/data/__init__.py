"""What a model learns from: rows, labels, features, and which rows may teach, calibrate or measure."""
