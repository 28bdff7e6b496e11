"""Telegram in: commands, menus, callbacks."""
