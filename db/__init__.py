"""What is kept: campaigns, what was said, how the table reacted, and what was learnt."""
