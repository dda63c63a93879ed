"""What a browser calls itself, in two words for staff."""

_SYSTEMS = ("iPhone", "iPad", "Android", "Windows", "Macintosh", "CrOS", "Linux")
_BROWSERS = {"Edg": "Edge", "OPR": "Opera", "Firefox": "Firefox", "FxiOS": "Firefox", "CriOS": "Chrome"}
_FAMILIES = {"Chrome": "Chrome", "Safari": "Safari"}
_PLAIN = {"Macintosh": "Mac", "CrOS": "Chromebook"}


def named(user_agent: str) -> str:
    """The device and the browser, for example “iPhone, Safari”; empty if neither is recognized."""
    system = next((name for name in _SYSTEMS if name in user_agent), "")
    browser = next((said for mark, said in (_BROWSERS | _FAMILIES).items() if f"{mark}/" in user_agent), "")
    return ", ".join(part for part in (_PLAIN.get(system, system), browser) if part)
