"""The starter: the small model that makes Understudy speak before anything is downloaded.

Trained from scratch by `python -m learning.starter`: a tokenizer, a phase of public-domain prose,
then conversations by the offline teacher, all through the real prompt builder.
"""
