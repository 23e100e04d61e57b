"""The platform's page: what the served models do at present, for a browser and for programs, without any script."""
