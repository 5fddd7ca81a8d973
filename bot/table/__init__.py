"""The use cases of a table: summon, speak, react, correct, undo. They know no face."""
