"""Cases: what a person has to decide, from doubtful messages to appeals. Start at model/case.py."""
