"""Where training data comes from when no player has said it yet."""
