"""The version of this package, read from where it is installed."""

from __future__ import annotations

VERSION = "0.1.0"
