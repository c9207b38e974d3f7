"""A mail relay that throws everything away, after it has written it down.

smtp_sink.py PORT FILE [CERTIFICATE KEY]

With a certificate it asks for STARTTLS, and takes the name `hub` with the password `relay-secret`. An address that begins
with `refused` is refused, one that begins with `later` is told to come back the first time.
"""

import asyncio
import json
import ssl
import sys
from email import message_from_bytes, policy

from aiosmtpd.smtp import SMTP, AuthResult


class Sink:
    def __init__(self, path):
        self.path = path
        self.seen = set()

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if address.startswith("refused"):
            return "550 5.1.1 nobody of that name here"
        if address.startswith("later") and address not in self.seen:
            self.seen.add(address)
            return "451 4.3.0 come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = message_from_bytes(envelope.content, policy=policy.default)
        body = mail.get_body(preferencelist=("plain",))
        found = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "encrypted": session.ssl is not None,
            "headers": {name.lower(): str(value) for name, value in mail.items()},
            "text": body.get_content() if body else None,
            "ascii": all(byte < 128 for byte in envelope.content),
        }
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(found, ensure_ascii=False) + "\n")
        return "250 OK: queued"


def authenticate(server, session, envelope, mechanism, data):
    good = data.login == b"hub" and data.password == b"relay-secret"
    return AuthResult(success=good, handled=False)


async def serve():
    port, path = int(sys.argv[1]), sys.argv[2]
    options = {"enable_SMTPUTF8": False}
    if len(sys.argv) > 3:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[3], sys.argv[4])
        options.update(
            tls_context=context, require_starttls=True, authenticator=authenticate, auth_required=True
        )
    sink = Sink(path)
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(sink, **options), "127.0.0.1", port)
    async with server:
        await server.serve_forever()


asyncio.run(serve())
