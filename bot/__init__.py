"""Topicwire: feeds in, one Telegram message a story out."""

__version__ = "0.1.0"
