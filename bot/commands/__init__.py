"""The commands of the table's half, a file each; imported only when called."""
