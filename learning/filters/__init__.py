"""Decides which rows are worth learning from."""
