"""The data elements of personal financial information: names, checks, rules."""
