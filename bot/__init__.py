"""The live table: its use cases, and the faces people see it through."""
