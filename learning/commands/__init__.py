"""The learning half's commands, mounted into `understudy` by entry points."""
