"""The shelf of base models: what lies in the home, how a file gets there, and whether it is any good.

Needed by the serving half alone, so that somebody who never trains can still speak with a better model.
"""
