"""Lorebooks (world info): what comes to an NPC's mind when a word falls."""
