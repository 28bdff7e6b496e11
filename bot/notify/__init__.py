"""One message to one chat: Telegram or the console, and their errors as ours."""
