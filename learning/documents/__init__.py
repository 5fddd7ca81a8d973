"""What a document says, as something an NPC can answer: rows to learn, and lore that comes to hand.

A document is cut into chunks; from each a number of questions and answers is drawn, cleaned, checked
against the chunk, and kept with the chunk's name. What the chunk says becomes facts the NPC has at hand.
"""
