"""The studio: a web page to play at, to teach at, and to see what was learnt."""
