"""The lake behind the log: batch layer, training sets, versions and quality."""
