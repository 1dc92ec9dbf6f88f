"""The version of this package, read from where it is installed."""

from __future__ import annotations

__version__ = "0.1.0"
