"""What is read out of reviews' texts, in any language: sentiment and language."""
