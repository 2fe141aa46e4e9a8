"""Questions that can't be answered as they were asked, as problems."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from . import problems
from .intervals.query import BadQueryError, MisfitError


@contextmanager
def refused_as_problems() -> Iterator[None]:
    """Answer what a parser refuses: 422 where parameters do not fit together, 400 where one has no meaning."""
    try:
        yield
    except MisfitError as error:
        raise problems.misfit(error.parameter, error.detail, error.allowed) from None
    except BadQueryError as error:
        raise problems.bad_parameter(error.parameter, error.detail, error.allowed) from None
