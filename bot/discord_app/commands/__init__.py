"""The slash commands, a module a group; each asks the table, and answers the asker alone."""
