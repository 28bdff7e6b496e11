"""Let `python -m bot` do what `topicwire` does."""

from bot.cli import main

main()
