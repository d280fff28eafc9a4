"""Appeals: a sanctioned member asks that a person looks again."""
