"""The parts of a tool: its schema, what it shows the model, and what it says when something fails."""
