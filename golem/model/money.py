"""Money is integer wei; it is rounded once, here, in favour of the payee."""

from __future__ import annotations

MS_PER_HOUR = 3_600_000
WEI_PER_ETHER = 10**18


class Wei(int):
    """Money in 10**-18 ether: never negative, never rounded, below 2**96 as the contract counts."""

    def __new__(cls, amount: int) -> Wei:
        """Refuse what is no amount. Arithmetic leaves the type, so re-enter it by name."""
        if isinstance(amount, bool) or not isinstance(amount, int):
            raise TypeError(f"not an amount of wei: {amount!r}")
        if not 0 <= amount < 2**96:
            raise ValueError(f"amount out of range: {amount} wei")
        return super().__new__(cls, amount)


NOTHING = Wei(0)


def cost(price: Wei, used_ms: int) -> Wei:
    """What `used_ms` of one slot cost at `price` wei per hour, rounded up."""
    return Wei(-(-price * used_ms // MS_PER_HOUR))


def ether(text: str) -> Wei:
    """Read a decimal amount of ether, such as "0.1", exactly. Raises ValueError."""
    whole, _, part = text.strip().partition(".")
    if not (whole + part).isdecimal() or len(part) > 18:
        raise ValueError(f"not an amount of ether: {text!r} (write it like 0.25)")
    return Wei(int(whole or "0") * WEI_PER_ETHER + int(part.ljust(18, "0")))


def show_ether(amount: int) -> str:
    """Write wei as ether, exactly and without trailing zeros: `0.25 ETH`."""
    whole, part = divmod(amount, WEI_PER_ETHER)
    digits = f"{part:018d}".rstrip("0")
    return f"{whole}.{digits} ETH" if digits else f"{whole} ETH"
