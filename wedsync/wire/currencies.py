"""How many decimals an amount may have: ISO 4217's minor units, used in bookkeeping, not what a locale displays.

https://www.six-group.com/en/products-services/financial-information/data-standards.html
"""

from decimal import Decimal

MOST_DECIMALS = 4
_DECIMALS = {
    **dict.fromkeys(
        (
            "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF",
            "XOF", "XPF",
        ),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}  # fmt: skip


def decimals_of(currency: str) -> int:
    """How many decimals an amount in a currency has; two unless ISO 4217 says otherwise."""
    return _DECIMALS.get(currency.upper(), 2)


def fits(amount: Decimal, currency: str) -> bool:
    """Whether an amount can be paid in a currency; trailing zeros do not matter."""
    return amount == round(amount, decimals_of(currency))
