"""The processes beside the server: asynchronous and batch inference, labels, live traffic."""
