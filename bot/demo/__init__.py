"""The whole story in five minutes: an evening in fast forward, a night, before and after, and back."""
