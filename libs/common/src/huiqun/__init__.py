"""What the Huiqun services share: contracts and the machinery around them."""
