"""The table in a terminal: for people, and as JSON lines for programs."""
