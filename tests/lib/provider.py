"""provider - a server that answers as mailbox providers document it, or badly.

Each path has a list of answers; the last one is given again.  An answer is a
function of the request, or (status, headers, body), where body is bytes, text,
or an object for JSON.  What was asked is kept.
"""

import http.server
import json
import os
import ssl
import subprocess
import threading
import urllib.parse

import proc


class Asked:
    def __init__(self, method, path, headers, body):
        self.method, self.headers, self.body = method, headers, body
        url = urllib.parse.urlsplit(path)
        self.path, self.whole = url.path, path
        self.query = dict(urllib.parse.parse_qsl(url.query))

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def form(self):
        return dict(urllib.parse.parse_qsl(self.body.decode()))

    @property
    def token(self):
        return self.headers.get("Authorization", "").removeprefix("Bearer ")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        length = int(self.headers.get("Content-Length") or 0)
        asked = Asked(self.command, self.path, self.headers,
                      self.rfile.read(length))
        provider = self.server.provider
        with provider.lock:
            provider.asked.append(asked)
            answers = provider.answers.get(asked.path, [(404, {}, "no")])
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if callable(answer):
            answer = answer(asked)
        status, headers, body = answer
        if not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode()
        cut = headers.get("cut")        # bytes that are sent of it
        self.send_response(status)
        for name, value in headers.items():
            if name not in ("cut", "slow"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body[:cut])
        self.wfile.flush()
        if "slow" in headers:           # until the test is over
            provider.over.wait()
        self.close_connection = True

    do_POST = do_GET


class Provider:
    def __init__(self, folder=None):
        """folder: answer with TLS, and keep certificate and key there."""
        self.asked, self.answers = [], {}
        self.lock, self.over = threading.Lock(), threading.Event()
        self.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", proc.port()), Handler)
        self.server.daemon_threads = True
        self.server.provider = self
        self.certificate = None
        scheme = "http"
        if folder:
            scheme = "https"
            self.certificate, key = f"{folder}/ca.pem", f"{folder}/ca.key"
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
                 "-keyout", key, "-out", self.certificate, "-days", "30",
                 "-subj", "/CN=127.0.0.1", "-addext",
                 "subjectAltName=IP:127.0.0.1"], check=True,
                capture_output=True)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.certificate, key)
            self.server.socket = context.wrap_socket(
                self.server.socket, server_side=True)
        self.url = f"{scheme}://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever,
                                       daemon=True)
        self.thread.start()

    def close(self):
        self.over.set()
        self.server.shutdown()
        self.server.server_close()

    def says(self, path, *answers):
        self.answers[path] = list(answers)

    def paths(self):
        return [a.path for a in self.asked]


def secret(path, **words):
    """A file of credentials, for its owner alone."""
    with open(path, "w") as f:
        json.dump(words, f)
    os.chmod(path, 0o600)
    return path
