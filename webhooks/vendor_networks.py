"""The networks that a connection names as its vendor's own; the limit per sender spares them."""

import ipaddress

SHORTEST_PREFIX = {4: 8, 6: 16}  # bits; a wider network is no vendor's own
MOST_NETWORKS = 50


def vendor_network(word: str) -> str:
    """A network in its usual spelling.

    Raises:
        ValueError: why it can be no vendor's own, as whole sentences.
    """
    try:
        network = ipaddress.ip_network(word)
    except ValueError as error:
        raise ValueError(
            f"{word[:60]} is not a network. Write for instance 203.0.113.0/24, with zeros behind the prefix."
        ) from error
    shortest = SHORTEST_PREFIX[network.version]
    if network.prefixlen < shortest:
        raise ValueError(f"{network} is too wide. A prefix needs at least {shortest} bits: /{shortest}.")
    return str(network)
