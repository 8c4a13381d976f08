"""browser - a headless Chromium, driven through a pipe (no port, no library)."""

import json
import os
import shutil
import tempfile
import time

import proc

PATH = shutil.which("chromium")


class Browser:
    def __init__(self, width, height, dark=False, language="en"):
        self.folder = tempfile.mkdtemp(prefix="penstock-")
        theirs_in, ours_out = os.pipe()
        ours_in, theirs_out = os.pipe()

        def wire():         # Chromium reads from 3 and writes to 4
            os.dup2(theirs_in, 100)
            os.dup2(theirs_out, 101)
            os.dup2(100, 3)
            os.dup2(101, 4)
        self.process = proc.start(
            [PATH, "--headless=new", "--no-sandbox", "--disable-gpu",
             "--hide-scrollbars", "--no-first-run", "--remote-debugging-pipe",
             f"--user-data-dir={self.folder}", "about:blank"],
            preexec_fn=wire, close_fds=False,
            stdout=open(f"{self.folder}/log", "w"),
            stderr=open(f"{self.folder}/err", "w"))
        os.close(theirs_in)
        os.close(theirs_out)
        self.out = os.fdopen(ours_out, "wb", buffering=0)
        self.inp = os.fdopen(ours_in, "rb", buffering=0)
        self.held, self.n, self.session, self.events = b"", 0, None, []
        target = self.ask("Target.createTarget", url="about:blank")
        self.session = self.ask("Target.attachToTarget", flatten=True,
                                targetId=target["targetId"])["sessionId"]
        for domain in ("Page", "Network", "Runtime"):
            self.ask(f"{domain}.enable")
        self.ask("Emulation.setDeviceMetricsOverride", width=width,
                 height=height, deviceScaleFactor=1, mobile=False)
        self.ask("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme",
             "value": "dark" if dark else "light"}])
        self.ask("Network.setExtraHTTPHeaders",
                 headers={"Accept-Language": language})

    def close(self):
        proc.stop(self.process)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def message(self):
        while b"\0" not in self.held:
            piece = os.read(self.inp.fileno(), 65536)
            if not piece:
                raise OSError(open(f"{self.folder}/err").read()[-2000:])
            self.held += piece
        one, self.held = self.held.split(b"\0", 1)
        return json.loads(one)

    def ask(self, method, **params):
        self.n += 1
        words = {"id": self.n, "method": method, "params": params}
        if self.session:
            words["sessionId"] = self.session
        self.out.write(json.dumps(words).encode() + b"\0")
        while True:
            said = self.message()
            if said.get("id") == self.n:
                if "error" in said:
                    raise OSError(f"{method}: {said['error']}")
                return said["result"]
            self.events.append(said)

    # --- what tests say ---------------------------------------------------------
    def value(self, expression):
        return self.ask("Runtime.evaluate", expression=expression,
                        returnByValue=True)["result"].get("value")

    def until(self, expression, patience=30):
        end = time.monotonic() + patience
        while time.monotonic() < end:
            got = self.value(expression)
            if got:
                return got
            time.sleep(0.05)
        raise TimeoutError(f"{expression} never came true")

    def visit(self, url, title):
        self.ask("Page.navigate", url=url)
        self.until(f"document.readyState == 'complete' && "
                   f"document.title == {json.dumps(title)}")

    def press(self, key):
        code = {"Tab": 9, "Enter": 13}[key]
        how = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        self.ask("Input.dispatchKeyEvent", type="keyDown",
                 **how, **({"text": "\r"} if key == "Enter" else {}))
        self.ask("Input.dispatchKeyEvent", type="keyUp", **how)

    def requests(self):
        return [e["params"]["request"]["url"] for e in self.events
                if e.get("method") == "Network.requestWillBeSent"]

    def complaints(self):
        """What the page's own security policy refused, and errors."""
        return [e["params"] for e in self.events
                if e.get("method") in ("Log.entryAdded",
                                       "Runtime.exceptionThrown")]

    def picture(self, path):
        import base64
        with open(path, "wb") as f:
            f.write(base64.b64decode(
                self.ask("Page.captureScreenshot")["data"]))
