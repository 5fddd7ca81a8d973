"""Every NPC behind an address: an OpenAI-compatible API over the same use cases as every other face."""
