"""How an NPC learns: teachers, datasets, recipes, exam, gate, and the nights that string them."""
