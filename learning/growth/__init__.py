"""A small model grows an NPC's pool of questions and answers, Self-Instruct style, watched by a gate.

`questions` draws prompts and filters what comes back, `answers` filters the lines, `gate` looks at every
round and stops what is getting worse, `running` strings them together.
"""
