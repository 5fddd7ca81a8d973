"""Named queries: every question the program asks its database, in words. SQL stays here."""
