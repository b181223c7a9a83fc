"""Rules on factors, such as `shape == 'heart' and pos_x > 0.5`: which combinations they take."""

from unweave.rules.rule import Rule, check_rule

__all__ = ["Rule", "check_rule"]
