"""Checks deliveries with the libraries of Standard Webhooks and CloudEvents; ed25519 with a library for cryptography.

subscriber.py FILE: a list of {secret, public, got: {headers, body in base64}}; says how many of each were checked.
"""

import base64
import json
import sys

from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

counts = {"hmac": 0, "ed25519": 0, "events": 0}
for check in json.load(open(sys.argv[1], encoding="utf-8")):
    headers, body = check["got"]["headers"], base64.b64decode(check["got"]["body"])
    if check["secret"]:
        assert Webhook(check["secret"]).verify(body, headers) == json.loads(body)
        try:
            Webhook(check["secret"]).verify(body + b" ", headers)
            sys.exit("a changed body was believed")
        except WebhookVerificationError:
            counts["hmac"] += 1
    if check["public"]:
        key = base64.b64decode(check["public"].removeprefix("whpk_"))
        verifier = eddsa.new(eddsa.import_public_key(key), "rfc8032")
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        given = [one[4:] for one in headers["webhook-signature"].split(" ") if one.startswith("v1a,")]

        def fits(text, signature):
            try:
                verifier.verify(text, base64.b64decode(signature))
                return True
            except ValueError:
                return False

        assert any(fits(signed, one) for one in given), "no signature of this key"
        assert not any(fits(signed + b" ", one) for one in given), "a changed body was believed"
        counts["ed25519"] += 1
    event = from_http_event(HTTPMessage(headers, body))
    assert event.get_id() == headers["webhook-id"] and event.get_specversion() == "1.0", event
    assert event.get_type() == "hr.subscription.tested.v1", event
    assert event.get_data()["entity"] == "subscription" and event.get_extension("sequence"), event
    counts["events"] += 1
print(", ".join(f"{name} {count}" for name, count in counts.items()))
