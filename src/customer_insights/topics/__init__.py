"""What reviews are about: terms, topics that keep their ids, and the topic of each text."""
