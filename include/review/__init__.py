"""What people should see, what they were shown, and what they answered."""
