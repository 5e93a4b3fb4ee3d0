"""What makes branding readable. Pure."""

from chassis.errors import Invalid

DEFAULT_ACCENT = "#0f766e"
LEAST_CONTRAST = 4.5  # WCAG 2.2, success criterion 1.4.3


def luminance(colour: str) -> float:
    """Relative luminance of "#rrggbb", 0 (black) to 1 (white). Source: WCAG 2.2, definition "relative luminance"."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))

    def linear(channel: float) -> float:
        return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)

    return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)


def contrast_with_white(colour: str) -> float:
    """Contrast ratio, 1 to 21. Source: WCAG 2.2, definition "contrast ratio"."""
    return 1.05 / (luminance(colour) + 0.05)


def readable_accent(colour: str) -> str:
    """The accent in lower case, if white can be read on it and it on white. Errors: `accent_contrast_low`."""
    accent = colour.lower()
    ratio = contrast_with_white(accent)
    if ratio < LEAST_CONTRAST:
        raise Invalid(
            "accent_contrast_low",
            f"White text on {accent} would be hard to read ({ratio:.1f}:1; at least {LEAST_CONTRAST}:1). Choose a darker colour.",
            pointer="/accent",
        )
    return accent
