"""What a character is, and how it comes to say a line."""
