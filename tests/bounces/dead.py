"""dead - rules that can never decide, because an earlier one always holds.

An earlier rule always holds when each of its terms is part of a term of the
later one, and its provider and codes are the same or any.
"""

import re


def piece(text):
    text = text.strip()
    quoted = len(text) > 1 and text[0] == text[-1] == '"'
    return text[1:-1] if quoted else text


def rules(path):
    """[(line, id, [provider, code, enhanced], [[piece, ...], ...]), ...]"""
    found = []
    with open(path, encoding="utf-8") as f:
        for n, line in enumerate(f, 1):
            if not line.strip() or line.startswith("#"):
                continue
            id_, provider, code, enhanced, _, _, text = \
                line.rstrip("\n").split(None, 6)
            # no rule of ours has "&" or "*" inside of quotes
            terms = [] if text == "-" else [
                [piece(p) for p in re.split(r"\*", term)]
                for term in text.lower().split("&")]
            found.append((n, id_, [provider, code, enhanced], terms))
    return found


def within(earlier, later):
    """Are these pieces in the pieces of that term, in order?"""
    at, start = 0, 0
    for p in earlier:
        while at < len(later):
            found = later[at].find(p, start)
            if found >= 0:
                start = found + len(p)
                break
            at, start = at + 1, 0
        else:
            return False
    return True


def always(earlier, later):
    if any(a not in ("*", b) for a, b in zip(earlier[2], later[2])):
        return False
    return all(any(within(e, t) for t in later[3]) for e in earlier[3])


def dead(path):
    """Sentences, one per rule that cannot decide."""
    all_ = [r for r in rules(path) if r[3]]
    said = []
    for i, later in enumerate(all_):
        for earlier in all_[:i]:
            if (later[2][0] == "*" or earlier[2][0] != "*") and \
                    always(earlier, later):
                said.append(f"line {later[0]}: {later[1]} never decides: "
                            f"{earlier[1]} (line {earlier[0]}) always holds")
                break
    return said
