"""replies - what was said about each recipient of the labelled bounces.

From a report with a delivery-status part (RFC 3464) comes the Diagnostic-Code
as it stands, with the Status before it when it has no code of its own; from
anything else the text above the returned message, or the lines behind the
recipient's address where there are several.

A file belongs to the part that rules are tried on, or to the part that is
held out, by a hash of its name: nobody chose.
"""

import csv
import email
import hashlib
import os
import re

CORPUS = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                      "../corpus/bounces")
MAY = {"filtered", "suspend", "mailererror", "onhold"}  # either is right
NOT_MAIL = {"feedback", "vacation", "delivered"}        # no refusals at all
CUT = re.compile(  # where the returned message or its headers begin
    r"^(-+ ?(below this line|this is a copy|original message|returned|"
    r"enclosed is|message header|unsent message|the transcript|"
    r"undelivered message).*|(message headers|original message) follows?.*|"
    r"-{3,} ?(original|message).*|return-path:.*|received: from.*|"
    r"\|-+ ?message text follows.*|included is a copy.*)$", re.I | re.M)


def part_of(name):
    return "tune" if hashlib.sha256(name.encode()).digest()[0] & 1 \
        else "held"


def labels():
    """{file: [row, ...]} in the order of recipients."""
    rows = {}
    with open(os.path.join(CORPUS, "labels.tsv"), newline="") as f:
        for row in csv.DictReader(f, delimiter="\t"):
            rows.setdefault(row["file"], []).append(row)
    return rows


def truth(row):
    if row["hard"] == "True":
        return "must"
    if row["reason"] in MAY:
        return "may"
    return "none" if row["reason"] in NOT_MAIL else "not"


def flat(value):
    return " ".join(str(value or "").split())


def statuses(message):
    """The groups of recipients of the first delivery-status part."""
    for part in message.walk():
        if part.get_content_type() != "message/delivery-status":
            continue
        groups = part.get_payload()
        if isinstance(groups, list):
            return [g for g in groups if g["Final-Recipient"]
                    or g["Original-Recipient"] or g["Status"]]
    return []


def domain(address):
    at = re.search(r"@([A-Za-z0-9.-]+)", address or "")
    return at.group(1) if at else "-"


def body(message):
    """The first text of the report, decoded."""
    for part in message.walk():
        if part.get_content_maintype() != "text" and part.is_multipart():
            continue
        raw = part.get_payload(decode=True) or b""
        charset = part.get_content_charset() or "utf-8"
        try:
            return raw.decode(charset, "replace")
        except LookupError:
            return raw.decode("utf-8", "replace")
    return ""


def lines_of_reply(text):
    """The lines that quote a server, or those around a recipient."""
    lines = [x.strip() for x in text.split("\n")]
    for i, line in enumerate(lines):
        if re.search(r"(^|[\s:>\"'(\[])[45]\d\d([- ]|$)", line) and \
                not re.search(r"\b(20|19)\d\d\b.*\d\d:\d\d", line):
            part = lines[i:i + 8]
            return " ".join(part[:part.index("")] if "" in part else part)
    blocks = re.split(r"\n\s*\n", text)
    for i, block in enumerate(blocks):
        if re.search(r"[\w.+=-]+@[\w.-]+", block):
            return " ".join(blocks[i:i + 3])
    return text


def said_in_text(message, n):
    """n replies out of the text of a report without a delivery-status."""
    text = body(message)
    if re.match(r"\s*\{", text):
        return re.findall(r'"diagnosticCode":"((?:[^"\\]|\\.)*)"', text)
    codes = re.findall(r"^diagnostic-code: *(.*(?:\n[ \t].*)*)", text,
                       re.M | re.I)
    if len(codes) >= n:
        return codes
    found = CUT.search(text)
    if found and found.start() > 0:
        text = text[:found.start()]
    if n < 2:
        return [lines_of_reply(text)]
    at = [m.start() for m in re.finditer(r"^[ *<]*[\w.+=-]+@[\w.-]+", text,
                                         re.M)]
    return [lines_of_reply(text[a:b]) for a, b in zip(at, at[1:] + [None])]


def replies(path, n):
    """(has a delivery-status, [(domain, reply), ...]) of a message."""
    with open(path, "rb") as f:
        raw = f.read().replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    message = email.message_from_bytes(raw)
    groups = statuses(message)
    if not groups:
        return False, [("-", flat(t)[:4000])
                       for t in said_in_text(message, n)]
    result = []
    texts = said_in_text(message, len(groups))
    for k, group in enumerate(groups):
        said, status = flat(group["Diagnostic-Code"]), flat(group["Status"])
        if not said and "(" in status:      # the reason is its comment
            said = status
        elif not said:
            said = texts[k] if k < len(texts) else ""
            said = f"{status} {flat(said)[:2000]}"
        elif not re.search(r"\b[245]\d\d\b|\b[245]\.\d\.\d", said):
            said = re.sub(r"^([\w-]+; ?)?", lambda m: m.group(0) +
                          status + " ", said, count=1)
        result.append((domain(group["Final-Recipient"]
                              or group["Original-Recipient"]), said))
    return True, result


def cases():
    """Every labelled recipient: part, DSN or not, truth, label, reply."""
    for name, rows in sorted(labels().items()):
        path = os.path.join(CORPUS, "messages", name)
        if not os.path.exists(path):
            continue
        dsn, said = replies(path, len(rows))
        for k, row in enumerate(rows):
            where, reply = said[k] if k < len(said) else ("-", "")
            yield {"file": name, "recipient": k + 1, "part": part_of(name),
                   "dsn": dsn and k < len(said), "truth": truth(row),
                   "reason": row["reason"], "domain": where, "reply": reply}
