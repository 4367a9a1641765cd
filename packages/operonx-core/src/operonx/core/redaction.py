"""What is secret, by name or by look, and is written nowhere: the one place that decides it.

A name is secret by its words (`api_key`, `userPassword`, `X-Auth-Token`; not `max_tokens`,
`monkey`, `author`). A text is secret where it looks so: the password of a URL, `Bearer ...`, the
keys of well-known services. Both are looked for in text that is about to be shown, so that a
name is found in a dict, a dataclass, JSON or a query string, however deep it is.
"""

from __future__ import annotations

import re
from typing import Any, Final

__all__ = ["REDACTED", "is_secret", "is_secret_name", "scrubbed", "shortened"]

REDACTED: Final = "<redacted>"
_WINDOW: Final = 4000
"""Characters of a value that are looked at; far more than are ever shown."""

_SECRET: Final = re.compile(
    "access(key|token)|apikey|auth|authentication|authorization|authtoken|bearer|clientsecret"
    "|cookies?|credentials?|creds|jwt|oauth|otp|passcode|passphrase|passwd|passwords?|private"
    "|privatekey|pwd|refreshtoken|secrets?|secretkey|sessions?|sessionid|signatures?"
)
_KEY: Final = re.compile("key|token")
"""Secret too, unless a word beside it says that it is of another kind."""
_OTHER_KIND: Final = re.compile(
    "budget|cache|column|count|foreign|ids|index|length|limit|max|min|name|num|partition|primary"
    "|public|size|sort|total|type|usage"
)
_MANY: Final = re.compile("keys|tokens")
"""Often those of a dict or of a text, so secret only beside a word that says what they open."""
_OPENING: Final = re.compile("access|api|bearer|encryption|master|refresh|signing|ssh")

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def is_secret_name(name: str) -> bool:
    """Tell whether what has this name is secret, by the words of the name.

    Example:
        ```python
        is_secret_name("openaiApiKey")  # True
        is_secret_name("max_tokens")  # False
        ```
    """
    words = [word.lower() for word in _WORD.findall(name)]

    def has(kind: re.Pattern[str]) -> bool:
        return any(map(kind.fullmatch, words))

    if has(_SECRET):
        return True
    if has(_KEY):
        return not has(_OTHER_KIND)
    return has(_MANY) and has(_OPENING)


def is_secret(name: str, value: Any) -> bool:
    """Tell whether a value is not to be shown: no boolean, `None` or empty text is secret."""
    tells_nothing = value is None or isinstance(value, bool) or (type(value) is str and not value)
    return not tells_nothing and is_secret_name(name)


# -- text

_LOOKS: Final = re.compile(
    # The user and password of a URL, also where the text ends within them; a port is none.
    r"(?<=://)(?:[^\s/@'\":\[]*:(?!\d*(?:[/?#\s'\"]|\Z))[^\s'\"]*(?=@)"
    r"|[^\s/@'\":\[]*:(?!\d*(?:[/?#\s'\",;&)\]}>]|\Z))[^\s'\"/]+"
    r"|[^\s/@'\":\[]+(?=@))"
    r"|(?<=\bBearer )\s*[\w.~+/=-]+"
    r"|(?<=\bBasic )[A-Za-z0-9+/]{6,}={1,2}"
    r"|\bsk[-_](?:[\w-]*\d[\w-]*|[\w-]{16,})|\b[pr]k_(?:live|test)_\w+"
    r"|\b(?:gh[opsur]_|github_pat_|glpat-|hf_|xox[a-z]-|AKIA|AIza)[\w-]{8,}"
    r"|\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?"
    r"|(?<=PRIVATE KEY-----)[^-]+",
    re.IGNORECASE,
)
_NAMED: Final = re.compile(
    # `name=`, `name:`, `"name":`, and the first of a pair, `("name",`.
    r"(?<![\w.-])(?P<name>[A-Za-z_][\w.-]*)(?:\\*['\"]\]?)?\s*(?:=(?!=)|:(?![:/]))\s*"
    r"|\(b?['\"](?P<first>[A-Za-z_][\w.-]*)['\"],\s*"
)
_SCHEME: Final = re.compile(r"(?:Basic|Bearer|Digest|Token)\s+", re.IGNORECASE)
# A quote may be escaped, as in JSON within JSON.
_QUOTED: Final = re.compile(
    r"\\+(?P<quote>['\"]).*?(?:\\+(?P=quote)|\Z)"
    r"|b?(?:'(?:[^'\\]|\\.)*(?:'|\Z)|\"(?:[^\"\\]|\\.)*(?:\"|\Z))",
    re.DOTALL,
)
_PLAIN: Final = frozenset({"None", "True", "False", "null", "true", "false", "''", '""', ""})


def scrubbed(text: str) -> str:
    """Return a text without the secrets in it.

    It reads the text as people write values (Python, JSON, query strings), as far as it goes:
    what is cut off in the middle of a secret has none left.

    Example:
        ```python
        scrubbed("{'api_key': 'sk-1', 'n': 2}")  # "{'api_key': <redacted>, 'n': 2}"
        ```
    """
    found: list[str] = []
    at = 0
    for match in _NAMED.finditer(text):
        if match.start() < at or not is_secret_name(match["name"] or match["first"]):
            continue
        end = _end_of_value(text, match.end())
        if text[match.end() : end] not in _PLAIN:
            found += text[at : match.end()], REDACTED
            at = end
    found.append(text[at:])
    return _LOOKS.sub(REDACTED, "".join(found))


def shortened(text: str, limit: int) -> str:
    """Return the beginning of a text without the secrets in it; what is cut ends in `...`."""
    # Cut only afterwards: half a secret does not look like one, and would be shown.
    clean = scrubbed(text[:_WINDOW])
    if len(text) > _WINDOW and len(clean) <= limit:
        return f"{REDACTED}..."
    return clean if len(clean) <= limit else f"{clean[:limit]}..."


def _end_of_value(text: str, at: int) -> int:
    """Return where the value that begins at a place ends: a word, a quoted text, brackets."""
    scheme = _SCHEME.match(text, at)
    at = scheme.end() if scheme else at
    quoted = _QUOTED.match(text, at)
    if quoted:
        return quoted.end()
    depth = 0
    while at < len(text):
        quoted = _QUOTED.match(text, at) if depth else None
        if text[at] in ")]}>" and not depth:
            break
        if text[at] in " \t\r\n,;&'\"\\" and not depth:
            break
        depth += (text[at] in "([{<") - (text[at] in ")]}>")
        at = quoted.end() if quoted else at + 1
    return at
