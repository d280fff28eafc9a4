"""Welcome: newcomers are greeted, the rules are made known, and who wants to leave is told how."""
