"""Whom a model asks, and how: fields, keys, timeouts, clients."""
