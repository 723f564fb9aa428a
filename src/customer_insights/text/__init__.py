"""What is read out of reviews' texts, in any language: sentiment, language, aspects and details."""
