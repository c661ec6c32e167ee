"""The level of one zone over time: rises fast, falls slowly, never skips downward, never normal when unknown.

Source of the rule: the district's level rules (defaults after Fruin, Still and Seoul). Pure; instants are
seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from anshang.crowds.model import MOVING, STANDING, Level, LevelRules, ZoneState
from anshang.foundation import clock
from anshang.places.model import Space, Zone

Since = tuple[float | None, float | None, float | None, float | None]
_NEVER: Since = (None, None, None, None)


@dataclass(frozen=True, slots=True)
class LevelState:
    """A zone's level since `since_s`, and since when its density has been above each rise and below each
    fall.

    While the density is unknown the level is kept but not shown (`known` False), and nothing counts as time
    passed.
    """

    level: Level
    since_s: float
    known: bool = False
    confirmed: bool = False
    may_fall: bool = False
    pending: Level | None = None
    above_since_s: Since = _NEVER
    below_since_s: Since = _NEVER

    def after(
        self, density: float | None, now_s: float, rules: LevelRules, *, second_source: bool = False
    ) -> LevelState:
        """The state at `now_s` with this density (people per m², None when unknown).

        Level 4 is reached at once but only with `second_source` or when a person has confirmed it; until
        then it is `pending`, as long as the density stays above the fall of level 4. It is left only when a
        person has allowed it since its density last rose. What a person said ends with the episode.
        """
        if density is None:
            return self if not self.known and self.above_since_s == _NEVER else self._unknown()
        above = _since(self.above_since_s, [density >= rise for rise in rules.rises], now_s)
        below = _since(self.below_since_s, [density < fall for fall in rules.falls], now_s)
        reached = self._reached(above, now_s, rules)
        serious = self.level is Level.SERIOUS
        held = self.pending is not None and density >= rules.falls[3]
        waits = not serious and (reached is Level.SERIOUS or held)
        believed = second_source or self.confirmed
        if waits:
            reached = Level.SERIOUS if believed else self._reached((*above[:3], None), now_s, rules)
        rose_again = serious and self.known and above[3] is not None and self.above_since_s[3] is None
        judged = replace(
            self,
            known=True,
            pending=Level.SERIOUS if waits and not believed else None,
            confirmed=self.confirmed and (waits or serious),
            may_fall=self.may_fall and not rose_again,
            above_since_s=above,
            below_since_s=below,
        )
        if reached > self.level:
            return replace(judged, level=reached, since_s=now_s, may_fall=False)
        return judged._fallen(now_s, rules)

    def _reached(self, above: Since, now_s: float, rules: LevelRules) -> Level:
        """The highest level whose rise has been exceeded for long enough."""
        lasting = [
            Level(number)
            for number, (since_s, wait_s) in enumerate(zip(above, rules.rise_after_s, strict=True), start=1)
            if since_s is not None and now_s - since_s >= wait_s
        ]
        return max(lasting, default=Level.NORMAL)

    def _fallen(self, now_s: float, rules: LevelRules) -> LevelState:
        """One level lower when the density has been low for long enough since this level began."""
        if self.level is Level.NORMAL or (self.level is Level.SERIOUS and not self.may_fall):
            return self
        since_s = self.below_since_s[self.level - 1]
        if since_s is None or now_s - max(since_s, self.since_s) < rules.fall_after_s[self.level - 1]:
            return self
        return replace(
            self, level=Level(self.level - 1), since_s=now_s, confirmed=False, may_fall=False, pending=None
        )

    def _unknown(self) -> LevelState:
        return replace(self, known=False, above_since_s=_NEVER, below_since_s=_NEVER)


def _since(before: Since, holds: list[bool], now_s: float) -> Since:
    """Since when each condition has held without a break."""
    a, b, c, d = (
        (now_s if since_s is None else since_s) if held else None
        for since_s, held in zip(before, holds, strict=True)
    )
    return (a, b, c, d)


def rules_of(zone: Zone, told: Mapping[str, LevelRules]) -> LevelRules:
    """The rules the district told for the zone itself, else the thresholds of its document, else those of
    its kind of space.
    """
    if own := told.get(zone.id):
        return own
    general = told.get(f"*{zone.space}") or (MOVING if zone.space is Space.MOVING else STANDING)
    if zone.thresholds is None:
        return general
    return LevelRules(
        zone.thresholds.rises, zone.thresholds.falls, general.rise_after_s, general.fall_after_s
    )


def state_of(decided: ZoneState | None) -> LevelState:
    """What was decided before a restart, normal where nothing was."""
    if decided is None:
        return LevelState(Level.NORMAL, 0.0)
    since_s = clock.to_ms(decided.since_at) / 1000
    said = {name: getattr(decided, name) for name in ("pending", "confirmed", "may_fall")}
    return LevelState(decided.level, since_s, **said)
