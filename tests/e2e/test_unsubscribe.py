"""The public endpoint: what a link does, and what nothing but a POST does."""

import concurrent.futures
import hashlib
import html.parser
import os
import random
import smtplib
import socket
import ssl
import subprocess
import threading
import time

import proc
import pytest
from endpoint import FORM, ONE_CLICK, Endpoint, identity

ROUNDS = int(os.environ.get("ROUNDS", "50"))
BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
MULTIPART = (f"--{BOUNDARY}\r\nContent-Disposition: form-data; "
             'name="List-Unsubscribe"\r\n\r\nOne-Click\r\n'
             f"--{BOUNDARY}--\r\n").encode()


@pytest.fixture(scope="module")
def it():
    with Endpoint() as one:
        yield one


@pytest.fixture
def make():
    """Endpoints of a test's own."""
    made = []

    def one(**how):
        made.append(Endpoint(**how))
        return made[-1].start()
    yield one
    for e in made:
        e.close()


# --- one click -----------------------------------------------------------------
def test_one_click_as_gmail_does_it(it):
    token = it.token("gmail@example.org")
    assert not it.left(token)
    answer = it.post(token)
    assert answer.status == 200
    assert it.left(token)
    assert it.post(token).status == 200     # again, and the same
    assert it.left(token)


def test_one_click_as_rfc_8058_asks(it):
    token = it.token("rfc@example.org")
    answer = it.post(token, MULTIPART, Content_Type="multipart/form-data; "
                     f"boundary={BOUNDARY}")
    assert answer.status == 200
    assert it.left(token)


def test_other_ways_of_one_mailbox_are_the_same_wish(it):
    assert it.post(it.token("A.nn+shop@googlemail.com")).status == 200
    assert it.left(it.token("ann@gmail.com"))
    assert not it.left(it.token("bob@gmail.com"))


def test_a_list_is_one_list(it):
    assert it.post(it.token("one@example.org", "acme/default")).status == 200
    assert not it.left(it.token("one@example.org", "acme/other"))
    assert not it.left(it.token("one@example.org", "bolt/default"))
    assert not it.left(it.token("one@example.org", "acme"))


@pytest.mark.parametrize("body, kind", [
    (b"", FORM), (b"List-Unsubscribe=", FORM),
    (b"list-unsubscribe=One-Click", FORM),
    (b"List-Unsubscribe=One-Click-Not", FORM),
    (ONE_CLICK, "text/plain"), (ONE_CLICK, "multipart/form-data"),
    (MULTIPART, "multipart/form-data; boundary=other"),
    (ONE_CLICK + b"&resubscribe=yes", FORM),
    (b"a=b", FORM), (b"\0" * 100, FORM)])
def test_a_post_without_the_words_changes_nothing(it, body, kind):
    token = it.token("words@example.org")
    assert it.post(token, body, Content_Type=kind).status == 400
    assert not it.left(token)


def test_a_body_that_is_too_large(it):
    token = it.token("large@example.org")
    assert it.post(token, ONE_CLICK + b"&" * 1000).status == 413
    # without a length that says so
    made = it.connection()
    made.request("POST", f"/u/{token}", iter([ONE_CLICK, b"&" * 2000]),
                 {"Content-Type": FORM}, encode_chunked=True)
    assert made.getresponse().status == 413
    made.close()
    assert not it.left(token)


def test_the_way_back(it):
    token = it.token("back@example.org")
    assert it.post(token, b"resubscribe=yes").status == 200
    assert not it.left(token)
    it.post(token)
    assert "Subscribe again" in it.get(token).text
    assert "subscribed again" in it.post(token, b"resubscribe=yes").text
    assert not it.left(token)
    it.post(token)
    assert it.left(token)


def test_the_way_back_is_not_offered_for_ever(make):
    one = make(more='\tresubscribe = "0s"\n')
    token = one.token("ever@example.org")
    assert "Subscribe again" not in one.post(token).text
    assert one.post(token, b"resubscribe=yes").status == 200
    assert one.left(token)


# --- what changes nothing --------------------------------------------------------
def disk(endpoint):
    """LMDB's two meta pages, of which every commit writes one; the file
    itself also grows when room is reserved."""
    with open(f"{endpoint.folder}/store/consent/data.mdb", "rb") as f:
        return hashlib.sha256(f.read(8192)).hexdigest()


def test_a_crawler_changes_nothing(it):
    """100,000 requests with ROUNDS=1000."""
    tokens = [it.token(f"crawl{n}@example.org") for n in range(5)]
    before = disk(it)

    def crawl(n):
        token = tokens[n % len(tokens)]
        method = ("GET", "HEAD", "GET", "OPTIONS")[n % 4]
        query = ("", "?List-Unsubscribe=One-Click", "?resubscribe=yes")[n % 3]
        answer = it.ask(method, f"/u/{token}{query}",
                        Purpose="prefetch", Sec_Purpose="prefetch")
        assert answer.status == (405 if method == "OPTIONS" else 200)
        assert method != "HEAD" or answer.body == b""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for done in pool.map(crawl, range(min(ROUNDS, 1000) * 100)):
            assert done is None
    assert disk(it) == before
    assert not any(it.left(token) for token in tokens)


def test_all_bad_tokens_get_one_answer(it):
    good = it.token("bad@example.org")
    with Endpoint() as stranger:
        foreign = stranger.token("bad@example.org")
    bad = ["", "x", good[:-1], good + "A", good[:40] + "A" + good[41:],
           foreign, "A" * 131, "A" * 2000, "%00", "..%2f..%2fetc",
           good + "?", good.swapcase()]
    bad.remove(good + "?")      # that one is good: a query is no part of it
    want = it.get("nothing")
    assert want.status == 400
    for token in bad:
        for method, body in (("GET", None), ("POST", ONE_CLICK),
                             ("POST", b"x"), ("DELETE", None)):
            got = it.ask(method, f"/u/{token}", body, Content_Type=FORM)
            assert (got.status, got.body) == (400, want.body), (method, token)
    assert it.get(good + "?x=y").status == 200


# --- the page ------------------------------------------------------------------
class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.links, self.forms = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append(tag)
        self.links += [v for k, v in attrs.items()
                       if k in ("href", "src", "action", "data", "poster")]
        assert not any(k.startswith("on") or k == "style" for k in attrs)
        if tag == "form":
            self.forms.append(attrs)


@pytest.mark.parametrize("said, language, words", [
    (None, "en", "Unsubscribe"), ("fr", "fr", "Se désabonner"),
    ("es-419,es;q=0.9", "es", "Cancelar la suscripción"),
    ("de;q=0.5, pt-BR;q=0.8", "pt", "Cancelar a subscrição"),
    ("nl, de;q=0.3", "de", "Abmelden"), ("xx;q=nonsense", "en", "Unsubscribe"),
    ("fr;q=0, en;q=0.1", "en", "Unsubscribe")])
def test_the_page_speaks(it, said, language, words):
    headers = {"Accept_Language": said} if said else {}
    answer = it.get(it.token("page@example.org"), **headers)
    assert answer.headers["content-language"] == language
    assert f'<html lang="{language}">' in answer.text
    assert words in answer.text


def test_the_page_asks_for_nothing_and_tells_little(it):
    token = it.token("Margaret@example.org")
    for text in (it.get(token).text, it.post(token).text,
                 it.get(token).text, it.get("bad").text):
        page = Page(text)
        assert "script" not in page.tags
        assert page.links == ["data:,"]
        assert all(f == {"method": "post"} for f in page.forms)
        assert "argaret" not in text and token not in text
    assert "M…@example.org" in it.get(token).text


def test_headers_keep_it_private(it):
    for answer in (it.get(it.token("h@example.org")), it.get("bad"),
                   it.post(it.token("h@example.org"))):
        assert answer.headers["cache-control"] == "no-store"
        assert "noindex" in answer.headers["x-robots-tag"]
        assert answer.headers["referrer-policy"] == "no-referrer"
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert "script-src" not in policy
        assert not {"location", "set-cookie", "refresh"} & set(answer.headers)


def test_names_follow_their_file(it):
    token = it.token("names@example.org")
    assert "from acme" in it.get(token).text
    saved = open(f"{it.folder}/names").read()
    it.write("names", f"tenant {identity('tenant', 'acme')} "
             f"Acme <b>&</b> Söhne\nlist {identity('list', 'acme/default')} "
             "Spring\nnonsense\ntenant 12 x\n")
    proc.wait_for(lambda: "“Spring” mail from Acme &lt;b&gt;&amp;&lt;/b&gt; "
                  "Söhne" in it.get(token).text, 20, "the new names")
    os.unlink(f"{it.folder}/names")
    proc.wait_for(lambda: "stop getting this mail?" in it.get(token).text, 20,
                  "a page without names")
    it.write("names", saved)


# --- bad days --------------------------------------------------------------------
def test_every_200_survives_kill_9(make):
    """1,000 rounds with ROUNDS=1000."""
    one = make()
    tokens = iter([one.token(f"k{n}@example.org") for n in range(60)])
    alive, done = [], []
    lists = ["acme/default", "acme/x", "acme/y", "bolt/default"]
    for n in range(min(ROUNDS, 1000)):
        token = next(tokens, None) or one.token(
            f"r{n}@example.org", lists[n % 4])
        dead = threading.Event()

        def client(which):
            try:
                while not dead.is_set():
                    if one.post(which, timeout=5).status == 200:
                        done.append(which)
                        return
            except OSError:
                pass            # it died before it answered
            except Exception as e:      # http.client's own words for that
                alive.append(repr(e))
        threads = [threading.Thread(target=client, args=(t,))
                   for t in (token,)]
        for t in threads:
            t.start()
        time.sleep(random.uniform(0, 0.004))
        one.kill()
        dead.set()
        for t in threads:
            t.join()
        one.start()
        for which in done[-5:]:
            assert one.left(which), f"round {n}: a 200 was lost"
    for which in done:
        assert one.left(which)
    assert not [a for a in alive if "RemoteDisconnected" not in a
                and "BadStatusLine" not in a], alive
    assert done


def test_a_full_store_is_503_and_never_a_false_200(make):
    one = make(map_size="1 MiB")
    keys, full = [], None
    for n in range(4000):
        token = one.token(f"full{n}@example.org") if n % 50 == 0 else None
        if token is None:
            continue
        answer = one.post(token)
        if answer.status == 200:
            keys.append(token)
        if answer.status == 503:
            full = answer
            break
        if n == 50:     # the rest of the map, by the owner's own way: lists
            for k in range(4000):
                got = one.post(one_of_many(one, k))
                if got.status == 503:
                    full = got
                    break
                assert got.status == 200
            break
    assert full is not None, "1 MiB never got full"
    assert full.headers["retry-after"] == "60"
    assert "could not be saved" in full.text
    assert one.ask("GET", "/health").status == 503
    for token in keys:
        assert one.left(token)
    assert "cannot be stored" in one.log()


def one_of_many(endpoint, n, made={}):
    """Tokens are made eight at a time: a process each is slow."""
    if n not in made:
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            for k, token in enumerate(pool.map(
                    lambda k: endpoint.token(f"{'m' * 200}{k}@example.org"),
                    range(n, n + 64))):
                made[n + k] = token
    return made[n]


def test_slow_clients_keep_nobody_waiting(make):
    """10,000 of them with ROUNDS=1000, as far as files may be open."""
    import resource
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    many = min(min(ROUNDS, 1000) * 10, hard - 500, 10000)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(
        hard, many + 500)), hard))
    one = make(more='\tdeadline = "6 seconds"\n')
    tokens = [one.token(f"slow{n}@example.org") for n in range(100)]
    slow = []
    for n in range(many):
        s = socket.create_connection(("127.0.0.1", one.port))
        s.sendall((b"POST /u/" + b"x" * (n % 50), b"G",
                   b"POST /u/x HTTP/1.1\r\nHost: x\r\nContent-Length: 26\r\n"
                   b"\r\nList-")[n % 3])
        slow.append(s)
    times = []
    for token in tokens:
        began = time.monotonic()
        assert one.post(token).status == 200
        times.append(time.monotonic() - began)
    # those that dribble are cut off all the same
    end = time.monotonic() + 40
    while slow and time.monotonic() < end:
        for s in slow[:200]:
            try:
                s.sendall(b"x")
                s.setblocking(False)
                if s.recv(4096) == b"":
                    raise OSError
            except BlockingIOError:
                s.setblocking(True)
            except OSError:
                s.close()
                slow.remove(s)
        time.sleep(0.1)
    assert not slow, f"{len(slow)} of {many} dribble for ever"
    times.sort()
    print(f"{many} slow connections: p50 {times[50] * 1000:.1f} ms, "
          f"p99 {times[98] * 1000:.1f} ms")
    assert times[98] < 0.25


def test_stopping_answers_what_was_asked(make):
    one = make()
    tokens = [one.token(f"stop{n}@example.org") for n in range(24)]
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        asked = [pool.submit(lambda t: one.post(t).status, t) for t in tokens]
        time.sleep(0.01)
        assert one.stop() == 0
    good = [t for t, a in zip(tokens, asked)
            if a.exception() is None and a.result() == 200]
    one.start()
    assert all(one.left(t) for t in good)


def test_one_client_may_not_have_all_places(make):
    """From an address that is not the machine's loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))     # sends nothing
            mine = probe.getsockname()[0]
        except OSError:
            pytest.skip("this machine has no address but loopback")
    if mine.startswith("127."):
        pytest.skip("this machine has no address but loopback")
    port = proc.port()
    one = make(where=f"inet:{port}@0.0.0.0", more="\tper_address = 4\n")
    held = [socket.create_connection((mine, port)) for _ in range(4)]
    token = one.token("bound@example.org")

    def answer(address):
        with socket.create_connection((address, port), 10) as s:
            try:
                s.sendall(f"GET /u/{token} HTTP/1.0\r\n\r\n".encode())
                return s.recv(100)
            except OSError:
                return b""
    proc.wait_for(lambda: answer(mine) == b"", 10, "the fifth to be refused")
    assert answer("127.0.0.1").startswith(b"HTTP/1.1 200")
    for s in held:
        s.close()
    proc.wait_for(lambda: answer(mine).startswith(b"HTTP/1.1 200"), 10,
                  "a place")


# --- other ways in ---------------------------------------------------------------
def test_tls_of_its_own(make, tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
                    "-keyout", f"{tmp_path}/key", "-out", f"{tmp_path}/cert",
                    "-days", "2", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=IP:127.0.0.1"],
                   check=True, capture_output=True)
    one = make(more=f'\tcertificate = "{tmp_path}/cert"\n'
               f'\tcertificate_key = "{tmp_path}/key"\n')
    token = one.token("tls@example.org")
    context = ssl.create_default_context(cafile=f"{tmp_path}/cert")
    with socket.create_connection(("127.0.0.1", one.port), 10) as plain, \
            context.wrap_socket(plain, server_hostname="127.0.0.1") as s:
        s.sendall(f"POST /u/{token} HTTP/1.0\r\nContent-Type: {FORM}\r\n"
                  "Content-Length: 26\r\n\r\n".encode() + ONE_CLICK)
        assert s.recv(100).startswith(b"HTTP/1.1 200")


def test_a_unix_socket(make):
    one = make(where=f"unix:/tmp/penstock-u-{os.getpid()}.sock")
    token = one.token("unix@example.org")
    assert one.post(token).status == 200
    assert one.left(token)
    assert one.ask("GET", "/health").body == b"ok\n"
    assert b"Disallow: /" in one.ask("GET", "/robots.txt").body


def test_a_new_key_is_taken_up_and_the_old_stays_good(it):
    old = it.token("rotate@example.org")
    it.penstock("token", "rotate", check=True)
    new = it.token("rotate@example.org")
    assert old != new
    proc.wait_for(lambda: it.get(new).status == 200, 20, "the new key")
    assert it.post(old).status == 200
    assert it.left(new)


def lmtp(endpoint):
    return smtplib.LMTP(f"{endpoint.folder}/lmtp.sock")


@pytest.mark.parametrize("subject", [
    "{}", "Re: {}", "unsubscribe {} please", "unsubscribe: <{}>",
    "=?utf-8?Q?{}?=", "{half}\r\n {rest}"])
def test_mail_with_the_token_in_its_subject(it, subject):
    address = f"mail{abs(hash(subject)) % 10 ** 6}@example.org"
    token = it.token(address)
    coded = token.replace("_", "=5F") if "?Q?" in subject else token
    text = subject.format(coded, half=token[:50], rest=token[50:])
    with lmtp(it) as peer:
        assert peer.sendmail("a@example.org", ["unsubscribe@acme.example"],
                             f"From: a@example.org\r\nSubject: {text}\r\n"
                             "\r\nbye\r\n") == {}
    assert it.left(token)


def test_mail_with_the_token_in_its_address(it):
    token = it.token("extension@example.org")
    with lmtp(it) as peer:
        peer.sendmail("a@example.org", [f"unsubscribe+{token}@acme.example"],
                      "Subject: \r\n\r\n")
    assert it.left(token)


def test_mail_without_a_token_is_taken_and_does_nothing(it):
    before = disk(it)
    with lmtp(it) as peer:
        assert peer.sendmail("a@example.org", ["unsubscribe@acme.example"],
                             "Subject: stop it\r\n\r\nplease\r\n") == {}
    assert disk(it) == before


def test_strangers_do_not_fill_the_log(it):
    before = len(it.log())
    with lmtp(it) as peer:
        for n in range(700):
            assert peer.sendmail("a@example.org", [f"u{n}@acme.example"],
                                 "Subject: x\r\n\r\n") == {}
    # a minute may have ended meanwhile, with a line that says so
    assert 0 < it.log()[before:].count("mailto: ") <= 2 * 300


def test_a_pipe_hands_over(it):
    token = it.token("pipe@example.org")

    def pipe(**how):
        return subprocess.run(
            [f"{proc.BUILD}/penstock-unsubscribe", "-c", it.conf, "-m",
             "unsubscribe@acme.example"], capture_output=True, text=True,
            **how)
    said = pipe(input=f"Subject: {token}\n\n.\n..\n.end")
    assert (said.returncode, said.stderr) == (0, "")
    assert it.left(token)
    os.rename(f"{it.folder}/lmtp.sock", f"{it.folder}/away")
    try:
        said = pipe(input="Subject: x\n\n")
        assert said.returncode == 75 and "is penstock-unsubscribe" in said.stderr
    finally:
        os.rename(f"{it.folder}/away", f"{it.folder}/lmtp.sock")


# --- the command line ------------------------------------------------------------
def test_token_read_tells_what_a_link_is_about(it):
    token = it.token("Cli@example.org")
    said = it.penstock("token", "read", f"https://u.example/u/{token}")
    assert said.returncode == 0
    assert '"Cli@example.org"' in said.stdout
    assert "acme/default" in said.stdout
    bad = it.penstock("token", "read", "--json", token[:-1])
    assert (bad.returncode, bad.stdout) == (1, '{"genuine":false}\n')


def test_a_second_one_is_refused_by_the_store(it):
    said = subprocess.run(
        [f"{proc.BUILD}/penstock-unsubscribe", "-c", it.conf],
        capture_output=True, text=True, timeout=60)
    assert said.returncode == 73
    assert str(it.process.pid) in said.stderr


def test_keys_that_others_may_read_are_refused(make):
    one = make()
    one.stop()
    os.chmod(f"{one.folder}/token.keys", 0o644)
    said = subprocess.run(
        [f"{proc.BUILD}/penstock-unsubscribe", "-c", one.conf],
        capture_output=True, text=True, timeout=60)
    assert said.returncode == 78
    assert "others may read" in said.stderr
