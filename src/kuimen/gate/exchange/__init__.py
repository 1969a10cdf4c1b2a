"""Exchange: messages to and from partner institutions, encrypted for the receiver and signed by the sender."""
