"""Whether data are what they should be: contracts for each row, monitors for each day."""
