"""Evidence: what the texts of a batch show, whoever wrote them."""
