"""The offline teacher: a generator, not a model.

It invents worlds, sheets and conversations from grammars written for this project, asks every
thing in many ways, and answers from the sheet. It knows the truth of every answer it gives, which
no model teacher does; what it lacks is wit. The starter model is taught by it.
"""
