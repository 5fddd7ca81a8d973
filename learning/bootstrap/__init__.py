"""Conversations for an NPC that nobody has talked to yet.

A cell of the grid becomes a question by somebody who knows what an asker would, and an answer by
somebody who reads what the NPC reads in play; each answer is a row.
"""
