"""What is printed on a terminal, shared by the command line and the demonstration."""
