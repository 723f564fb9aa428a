"""What is kept of a model's training so that what comes later can be held against it."""
