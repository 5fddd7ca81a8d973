"""Recipes: how an adapter is trained. Each is a linear program over one YAML file."""
