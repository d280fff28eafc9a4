"""Cases: questions for a person about messages and sanctions."""
