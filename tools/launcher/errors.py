"""What the launcher says when it cannot go on."""


class LauncherError(Exception):
    """Something the person at the keyboard can mend; the text says what and how."""
