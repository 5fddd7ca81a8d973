"""Engines: what turns a prompt into a line. Only the worker process knows llama.cpp."""
