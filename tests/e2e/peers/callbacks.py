"""Sends a hub callbacks that the vendors' own libraries sealed and signed, and opens its answers with them.

callbacks.py HUB_URL TOKEN AES_KEY RECEIVER ENCRYPT_KEY: ends well when every answer is what the libraries expect.
"""

import base64
import hashlib
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import lark_oapi
from Crypto.Cipher import AES
from dingtalk.crypto import DingTalkCrypto
from lark_oapi.core.model import RawRequest
from lark_oapi.core.utils import AESCipher
from wechatpy.crypto import WeChatCrypto
from wechatpy.enterprise.crypto import PrpCrypto
from wechatpy.enterprise.crypto import WeChatCrypto as WorkCrypto
from wechatpy.utils import WeChatSigner

HUB, TOKEN, AES_KEY, RECEIVER, ENCRYPT_KEY = sys.argv[1:6]
NAMES = ["林晓雨", "何沐阳", "苏晨"]


def send(path, query=None, body=None, headers=None):
    url = HUB + path + ("?" + urllib.parse.urlencode(query) if query else "")
    data = body.encode() if body is not None else None
    request = urllib.request.Request(url, data=data, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def xml(event, person, name):
    return (
        f"<xml><EventType><![CDATA[joined]]></EventType><eventId>{event}</eventId>"
        f"<id>{person}</id><name><![CDATA[{name}]]></name></xml>"
    )


def signature(*parts):
    signer = WeChatSigner()
    signer.add_data(*parts)
    return signer.signature


def dingtalk():
    crypto = DingTalkCrypto(TOKEN, AES_KEY, RECEIVER)

    def post(message):
        sealed = crypto.encrypt_message(json.dumps(message, ensure_ascii=False))
        query = {"signature": sealed["msg_signature"], "timestamp": sealed["timeStamp"], "nonce": sealed["nonce"]}
        body = json.dumps({"encrypt": sealed["encrypt"]})
        status, text = send("/hooks/heron-dingtalk", query, body, {"content-type": "application/json"})
        assert status == 200, (status, text)
        answer = json.loads(text)
        opened = crypto.decrypt_message(answer, answer["msg_signature"], answer["timeStamp"], answer["nonce"])
        assert opened == "success", opened

    post({"EventType": "check_url"})
    for number, name in enumerate(NAMES):
        # Every length of padding.
        post({"EventType": "joined", "eventId": f"d{number}", "id": f"d{number}", "name": name, "more": "x" * number})
    for length in range(32):
        post({"EventType": "nothing", "eventId": f"n{length}", "more": "x" * length})


def wecom():
    crypto = WorkCrypto(TOKEN, AES_KEY, RECEIVER)
    for length in range(1, 40):
        echo = PrpCrypto(crypto.key).encrypt("7" * length, RECEIVER).decode()
        stamp = str(int(time.time()))
        query = {"msg_signature": signature(TOKEN, stamp, "n1", echo), "timestamp": stamp, "nonce": "n1", "echostr": echo}
        status, text = send("/hooks/heron-wecom", query)
        opened = crypto.check_signature(query["msg_signature"], stamp, "n1", echo)
        assert (status, text) == (200, opened), (status, text)
    for number, name in enumerate(NAMES):
        sealed = crypto.encrypt_message(xml(f"w{number}", f"w{number}", name), f"n{number}")
        fields = {part: sealed.split(f"<{part}>")[1].split(f"</{part}>")[0] for part in ["MsgSignature", "TimeStamp", "Nonce"]}
        plain = {part: text.replace("<![CDATA[", "").replace("]]>", "") for part, text in fields.items()}
        query = {"msg_signature": plain["MsgSignature"], "timestamp": plain["TimeStamp"], "nonce": plain["Nonce"]}
        status, text = send("/hooks/heron-wecom", query, sealed, {"content-type": "text/xml"})
        assert status == 200 and text in ("", "success"), (status, text)


def wechat():
    crypto = WeChatCrypto(TOKEN, AES_KEY, RECEIVER)
    stamp = str(int(time.time()))
    query = {"signature": signature(TOKEN, stamp, "n1"), "timestamp": stamp, "nonce": "n1", "echostr": "4375120948345356249"}
    assert send("/hooks/heron-wechat-oa", query) == (200, query["echostr"])
    for number, name in enumerate(NAMES):
        sealed = crypto.encrypt_message(xml(f"o{number}", f"o{number}", name), f"n{number}", stamp)
        encrypt = sealed.split("<Encrypt><![CDATA[")[1].split("]]>")[0]
        nonce = f"n{number}"
        query = {
            "signature": signature(TOKEN, stamp, nonce),
            "msg_signature": signature(TOKEN, stamp, nonce, encrypt),
            "timestamp": stamp,
            "nonce": nonce,
            "encrypt_type": "aes",
            "openid": "o1",
        }
        status, text = send("/hooks/heron-wechat-oa", query, sealed, {"content-type": "text/xml"})
        assert (status, text) == (200, "success"), (status, text)


def feishu():
    dispatcher = (
        lark_oapi.EventDispatcherHandler.builder(ENCRYPT_KEY, TOKEN)
        .register_p2_customized_event("joined", lambda event: None)
        .build()
    )
    cipher = AESCipher(ENCRYPT_KEY)

    def post(message, signed=True):
        text = json.dumps(message, ensure_ascii=False).encode()
        padding = AES.block_size - len(text) % AES.block_size
        iv = os.urandom(AES.block_size)
        sealed = iv + AES.new(cipher.digest, AES.MODE_CBC, iv).encrypt(text + bytes([padding]) * padding)
        body = json.dumps({"encrypt": base64.b64encode(sealed).decode()})
        headers = {"content-type": "application/json"}
        if signed:
            stamp, nonce = str(int(time.time())), "3785044470"
            digest = hashlib.sha256((stamp + nonce + ENCRYPT_KEY + body).encode()).hexdigest()
            headers |= {"X-Lark-Request-Timestamp": stamp, "X-Lark-Request-Nonce": nonce, "X-Lark-Signature": digest}
        request = RawRequest()
        request.uri, request.body, request.headers = "/", body.encode(), dict(headers)
        wanted = dispatcher.do(request)
        status, answer = send("/hooks/heron-feishu", None, body, headers)
        assert status == wanted.status_code == 200, (status, answer, wanted.status_code, wanted.content)
        return json.loads(answer), json.loads(wanted.content)

    challenge = {"challenge": "8f1c0a7e-5b3d-4e92-a6c4-19d27b3f5e60", "token": TOKEN, "type": "url_verification"}
    answer, wanted = post(challenge, signed=False)
    assert answer == wanted == {"challenge": challenge["challenge"]}, (answer, wanted)
    for number, name in enumerate(NAMES):
        header = {"event_id": f"f{number}", "event_type": "joined", "token": TOKEN, "app_id": "cli_a"}
        event = {"eventId": f"f{number}", "id": f"f{number}", "name": name, "more": "x" * number}
        post({"schema": "2.0", "header": header, "event": event})


for peer in (dingtalk, wecom, wechat, feishu):
    peer()
    print(peer.__name__)
