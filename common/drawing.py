"""The geometry of drawings with upright bars: a scale of round numbers, and what stands on it."""

from typing import NamedTuple

TOP, BASE, RIGHT = 30, 220, 756
DIGIT_WIDTH, MARGIN = 7.4, 16
STEPS = (1, 2, 5, 10)
LINES_MAX = 4


class Tick(NamedTuple):
    """One line of the scale."""

    y: str
    label_y: str
    words: str


class Bar(NamedTuple):
    """One bar of the drawing."""

    x: str
    y: str
    width: str
    height: str


class Scale(NamedTuple):
    """
    From amounts and places side by side to the drawing's units.

    `top` is the amount at the upper edge, `ticks` are the lines from the base to there.
    """

    left: float
    top: int
    places: int
    ticks: list[Tick]

    @property
    def label_x(self) -> float:
        """Return where the words of the lines end."""
        return self.left - MARGIN / 2

    @property
    def step(self) -> float:
        """Return the room for one place."""
        return (RIGHT - self.left) / self.places

    def middle(self, place: int) -> float:
        """Return where the middle of a place is."""
        return self.left + self.step * (place + 0.5)

    def bar(self, x: float, width: float, amount: float) -> Bar:
        """Return the bar of an amount."""
        y = _y(amount, self.top)
        return Bar(f"{x:.1f}", f"{y:.1f}", f"{width:.1f}", f"{BASE - y:.1f}")


def scale_of(highest: int, places: int, unit: int = 1) -> Scale:
    """Return a scale that holds the highest amount; its words count `unit` as one."""
    step, lines = _steps(highest, unit)
    words = [f"{step * line // unit:,}" for line in range(lines + 1)]
    top = step * lines
    ticks = [_tick(_y(step * line, top), text) for line, text in enumerate(words)]
    return Scale(MARGIN + DIGIT_WIDTH * len(words[-1]), top, places, ticks)


def _steps(highest: int, unit: int) -> tuple[int, int]:
    # Round steps of whole units, so that at most five lines hold the highest bar.
    power = unit
    while True:
        for step in STEPS:
            lines = -(-highest // (step * power))
            if lines <= LINES_MAX:
                return step * power, max(lines, 1)
        power *= 10


def _y(amount: float, top: int) -> float:
    return BASE - (BASE - TOP) * amount / top


def _tick(y: float, words: str) -> Tick:
    return Tick(f"{y:.1f}", f"{y + 4:.1f}", words)
