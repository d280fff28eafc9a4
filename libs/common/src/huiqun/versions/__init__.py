"""Documents in versions: drafted, submitted, approved by somebody else, put in force, rolled back."""
