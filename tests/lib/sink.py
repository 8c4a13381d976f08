"""sink - where the private Postfix delivers: SMTP and LMTP, kept in memory.

One thread with an event loop.  Every delivered message is a Delivery; LMTP
(LHLO) answers per recipient, as the protocol wants.
"""

import asyncio
import collections
import socket
import threading

from proc import wait_for


class Delivery:
    def __init__(self, sender, recipients, data, local, peer="", helo=""):
        self.sender, self.recipients = sender, recipients
        self.data, self.local = data, local
        self.peer, self.helo = peer, helo   # who delivered: address, name

    def headers(self, name):
        """Unfolded values of that field, in order."""
        head = self.data.split(b"\r\n\r\n", 1)[0]
        head = head.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ")
        lines = [h.partition(b":") for h in head.split(b"\r\n")]
        return [v.strip().decode("utf-8", "replace") for n, _, v in lines
                if n.decode("latin-1").lower() == name.lower()]


class Sink:
    def __init__(self):
        self.deliveries = []
        self.answer = None      # recipient -> a reply line, or None: taken
        self.pause = 0          # seconds before a message is taken
        self.open = collections.Counter()   # messages under way, by peer
        self.crowd = collections.Counter()  # the most there were
        self.changed = threading.Condition()
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._run, args=(listener,),
                                       daemon=True)
        self.thread.start()

    def _run(self, listener):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_server(
            self._session, sock=listener, limit=32 << 20, backlog=200))
        self.loop.run_forever()
        server.close()
        # Postfix keeps sessions open for its next mail; they end with us.
        left = asyncio.all_tasks(self.loop)
        for task in left:
            task.cancel()
        self.loop.run_until_complete(
            asyncio.gather(*left, return_exceptions=True))
        self.loop.close()

    def close(self):
        if self.thread.is_alive():
            self.loop.call_soon_threadsafe(self.loop.stop)
            self.thread.join(10)

    async def _session(self, reader, writer):
        def say(line):
            writer.write(line.encode() + b"\r\n")
        try:
            say("220 sink ESMTP")
            await self._dialogue(
                reader, say, writer.get_extra_info("peername")[0])
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _take(self, reader, peer):
        self.open[peer] += 1
        self.crowd[peer] = max(self.crowd[peer], self.open[peer])
        try:
            if self.pause:
                await asyncio.sleep(self.pause)
            return await content(reader)
        finally:
            self.open[peer] -= 1

    async def _dialogue(self, reader, say, peer):
        lmtp, sender, rcpts, helo = False, "", [], ""
        while True:
            line = (await reader.readuntil(b"\r\n")).decode("utf-8",
                                                            "replace")
            verb = line[:4].upper()
            if verb in ("EHLO", "LHLO"):
                lmtp, helo = verb == "LHLO", line[5:].strip()
                say("250-sink\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n"
                    "250-PIPELINING\r\n250 SIZE 0")
            elif verb == "MAIL":
                sender, rcpts = address(line), []
                say("250 2.1.0 Ok")
            elif verb == "RCPT":
                said = self.answer and self.answer(address(line))
                if not said:
                    rcpts.append(address(line))
                say(said or "250 2.1.5 Ok")
            elif verb == "DATA":
                say("354 go")
                data = await self._take(reader, peer)
                with self.changed:
                    self.deliveries.append(
                        Delivery(sender, rcpts, data, lmtp, peer, helo))
                    self.changed.notify_all()
                for _ in rcpts if lmtp else [0]:
                    say("250 2.0.0 Ok")
            elif verb == "QUIT":
                say("221 2.0.0 Bye")
                return
            else:
                say("250 2.0.0 Ok")

    # --- questions --------------------------------------------------------
    def recipients(self, local=None):
        return [r for d in list(self.deliveries) for r in d.recipients
                if local is None or d.local == local]

    def with_header(self, name, value):
        return [d for d in list(self.deliveries)
                if value in d.headers(name)]

    def wait(self, question, patience=20.0, what="a delivery"):
        return wait_for(lambda: question(self), patience, what)


def address(line):
    return line.partition("<")[2].partition(">")[0]


async def content(reader):
    """Up to the lone dot, dots unstuffed."""
    lines = []
    while True:
        line = await reader.readuntil(b"\r\n")
        if line == b".\r\n":
            return b"".join(lines)
        lines.append(line[1:] if line[:1] == b"." else line)
