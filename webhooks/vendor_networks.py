"""The networks that a connection lists as its vendor's own, which the limit per sender exempts."""

import ipaddress

SHORTEST_PREFIX = {4: 8, 6: 16}  # bits; a wider network cannot be a vendor's own
MOST_NETWORKS = 50


def vendor_network(word: str) -> str:
    """A network in its canonical form.

    Raises:
        ValueError: why it cannot be a vendor's own, in whole sentences.
    """
    try:
        network = ipaddress.ip_network(word)
    except ValueError as error:
        raise ValueError(
            f"{word[:60]} is not a network. Write for example 203.0.113.0/24, with zeros after the prefix."
        ) from error
    shortest = SHORTEST_PREFIX[network.version]
    if network.prefixlen < shortest:
        raise ValueError(f"{network} is too wide. A prefix needs at least {shortest} bits: /{shortest}.")
    return str(network)
