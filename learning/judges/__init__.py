"""Evaluators: each looks at a line by one criterion, reasons, and says −1, 0 or +1.

What they say decides nothing before it was held against people's votes (`agreement`).
"""
