"""Numbers that look real and belong to nobody: right checksums, a region that does not exist, a test issuer."""

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"
_NO_REGION = "999999"


def id_card(born: str, sequence: str) -> str:
    """An ID number of no region of China, born on `born` (YYYYMMDD), with its ISO 7064 MOD 11-2 check character."""
    digits = f"{_NO_REGION}{born}{sequence}"
    total = sum(weight * int(digit) for weight, digit in zip(_ID_WEIGHTS, digits, strict=True))
    return digits + _ID_CHECKS[total % 11]


def bank_card(digits: str) -> str:
    """The digits of a card with their Luhn check digit."""
    odd, even = digits[-1::-2], digits[-2::-2]
    total = sum(sum(divmod(int(digit) * 2, 10)) for digit in odd) + sum(map(int, even))
    return digits + str(-total % 10)


def spaced_number(number: str, size: int = 4) -> str:
    """The number as people read it out: in groups, with spaces."""
    return " ".join(number[at : at + size] for at in range(0, len(number), size))


def full_width_number(number: str) -> str:
    """The number in full-width characters, as some keyboards write it."""
    return "".join(chr(ord(char) + 0xFEE0) for char in number)
