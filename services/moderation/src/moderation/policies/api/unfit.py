"""How rules that make no sense are refused: each objection with the place it is about."""

from huiqun.web import FieldError, Problem
from moderation.policies.handlers import UnfitPolicyError


def unfit(error: UnfitPolicyError) -> Problem:
    """The refusal of a body whose `rules` are unfit."""
    errors = [
        FieldError(
            detail=objection.reason, location="body", pointer="/".join(("#", "rules", *map(str, objection.path)))
        )
        for objection in error.objections
    ]
    return Problem(422, "unfit-policy", f"The rules make no sense: {error}", errors=errors)
