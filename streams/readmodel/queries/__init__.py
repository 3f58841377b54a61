"""What the read model answers: functions of a connection, which return the types of `views`."""
