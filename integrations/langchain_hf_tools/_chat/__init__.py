"""The parts of the chat model: one file for each concern; nothing here sends anything."""
