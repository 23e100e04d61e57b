"""ingest: from the data set to Kafka, and from Kafka to features that lose and double nothing."""
