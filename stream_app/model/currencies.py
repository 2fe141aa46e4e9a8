"""Money: the currencies that amounts may be in, and amounts as whole numbers.

A currency's place in ``CURRENCIES`` is stored: append, never reorder or remove. Codes are those of ISO 4217, as of 2026.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

CURRENCIES: Final[tuple[str, ...]] = tuple(
    """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY
    COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS
    INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP
    MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR
    SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND
    VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
    """.split()  # noqa: SIM905 - a list of 150 lines would say no more
)
PLACES: Final[dict[str, int]] = {code: n for n, code in enumerate(CURRENCIES)}
PARTS: Final = 10_000
"""The parts in which amounts are stored, per unit of their currency: no currency in use has more than four decimals."""
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,4})?")  # as JSON writes one
LONGEST: Final = 32
"""Characters of an amount: a longer text takes long to read and adds nothing."""
MOST: Final = 100_000_000
"""The largest single amount, in units."""


def parts(amount: str | float) -> int:
    """Return an amount in ten-thousandths.

    Raises:
        ValueError: it is not a number from 0 to a hundred million with at most four decimals.
    """
    text = str(amount)
    if len(text) > LONGEST or not _NUMBER.fullmatch(text):
        raise ValueError(f"expected an amount as a decimal number of at most {LONGEST} characters")
    over, under = Decimal(text).as_integer_ratio()
    whole, rest = divmod(over * PARTS, under)
    if rest or not 0 <= whole <= MOST * PARTS:
        raise ValueError("expected an amount from 0 to a hundred million with at most four decimals")
    return whole


def written(amount: Decimal) -> str:
    """Format an amount for people and programs: at least two decimals, at most four."""
    text = f"{amount:.4f}"
    return text[:-2] if text.endswith("00") else text.removesuffix("0")
