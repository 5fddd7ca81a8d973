"""The Discord face: the only package that knows discord.py. It plays through `bot.table` like every face."""
