"""Where models come from: a folder, or a registry by way of one."""
