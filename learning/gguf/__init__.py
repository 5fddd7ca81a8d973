"""GGUF files: the one format an NPC is served from and learns on."""
