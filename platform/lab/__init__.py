"""The `lab` tool: brings up, checks and resets the labs of the reference ML platform."""
