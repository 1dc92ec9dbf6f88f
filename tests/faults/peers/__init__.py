"""The same faults on other clients, in an environment of their own: `python -m tests.faults.peers`."""
