"""Judging archived messages again, and counting what comes out differently."""

from moderation.backtest.model.replay import Counted, Replay
from moderation.backtest.model.tally import Tally
from moderation.backtest.model.trial import WARM_UP, Trial, policies_in, scope_of

__all__ = ["WARM_UP", "Counted", "Replay", "Tally", "Trial", "policies_in", "scope_of"]
