"""How the pages are set up for a place: where contacts link to, and which sites may show the pages in a frame."""

from typing import Final
from urllib.parse import quote

from msgspec import Struct

from .problems import HEADERS

PLACEHOLDER: Final = "{contact_id}"
_POLICY: Final = "Content-Security-Policy"


class Screen(Struct, frozen=True, kw_only=True):
    """The set-up.

    Attributes:
        contact_url: the address of a contact in its platform, with ``{contact_id}``; empty for none.
        frame_ancestors: the origins that may embed the pages, as in the policy's own syntax; none by default.
    """

    contact_url: str = ""
    frame_ancestors: tuple[str, ...] = ()

    def link(self, contact: str) -> str | None:
        """Return the address of a contact; its id can't leave its place in it."""
        return self.contact_url.replace(PLACEHOLDER, quote(contact, safe="")) if self.contact_url else None

    def headers(self) -> dict[str, str]:
        """Return the headers of every answer."""
        if not self.frame_ancestors:
            return HEADERS
        allowed = " ".join(self.frame_ancestors)
        policy = HEADERS[_POLICY].replace("frame-ancestors 'none'", f"frame-ancestors {allowed}")
        return {**HEADERS, _POLICY: policy}
