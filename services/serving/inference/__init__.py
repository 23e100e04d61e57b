"""What a request asks of a version and what it is answered, whichever way it came in; and the journal of both."""
