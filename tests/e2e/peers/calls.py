"""Calls simulated vendors with the vendors' own libraries.

calls.py DINGTALK_URL WECOM_URL WECHAT_URL FEISHU_URL: ends well when the libraries understand every answer.
"""

import json
import sys

import lark_oapi
from dingtalk.client import AppKeyClient
from dingtalk.core.exceptions import DingTalkClientException
from lark_oapi.api.contact.v3 import GetUserRequest
from lark_oapi.api.im.v1 import CreateMessageRequest, CreateMessageRequestBody
from wechatpy.client import WeChatClient
from wechatpy.enterprise.client import WeChatClient as WorkClient
from wechatpy.exceptions import WeChatClientException

DINGTALK, WECOM, WECHAT, FEISHU = sys.argv[1:5]


def refused(error, code, call):
    try:
        answer = call()
    except error as raised:
        assert str(raised.errcode) == str(code), raised
    else:
        raise AssertionError(f"not refused: {answer}")


def dingtalk():
    class Client(AppKeyClient):
        API_BASE_URL = DINGTALK + "/"

    client = Client("corp", "key", "secret")
    assert client.access_token == client.access_token != ""
    user = client.post("/topapi/v2/user/get", {"userid": "hx0311"})
    assert (user.get("result") or user)["name"] == "林晓雨", user
    # The library's own function for this goes to another host.
    body = {"agent_id": 42, "userid_list": "hx0311", "msg": {"msgtype": "text", "text": {"content": "面试安排在周二"}}}
    sent = client.post("/topapi/message/corpconversation/asyncsend_v2", body)
    assert sent["task_id"], sent
    refused(DingTalkClientException, 60121, lambda: client.post("/topapi/v2/user/get", {"userid": "nobody"}))


def wecom():
    class Client(WorkClient):
        API_BASE_URL = WECOM + "/cgi-bin/"

        # The library asks the real address for its token.
        def fetch_access_token(self):
            params = {"corpid": self.corp_id, "corpsecret": self.secret}
            return self._fetch_access_token(url=self.API_BASE_URL + "gettoken", params=params)

    client = Client("ww7f3a1c9e5b2d4086", "secret")
    departments = client.department.get()
    assert departments and all("id" in one for one in departments), departments
    people = [person for one in departments for person in client.user.list(one["id"])]
    assert people, departments
    sent = client.message.send_text(1000014, people[0]["userid"], "面试安排在周二")
    assert sent["errcode"] == 0, sent
    refused(WeChatClientException, 60111, lambda: client.user.get("nobody"))


def wechat():
    class Client(WeChatClient):
        API_BASE_URL = WECHAT + "/cgi-bin/"

        def fetch_access_token(self):
            params = {"grant_type": "client_credential", "appid": self.appid, "secret": self.secret}
            return self._fetch_access_token(url=self.API_BASE_URL + "token", params=params)

    client = Client("wx5a7c3e1f9b2d4680", "secret")
    follower = "oTYR3IyJ41cTJdguujZzcNpNpX4N"
    assert client.user.get(follower)["openid"] == follower
    data = {"thing1": {"value": "一面"}, "time2": {"value": "2026年11月24日 10:00"}}
    template = "ngqIpbwh8bUfcSsECmogfXcV14J0tQlEpBO27izEYtY"
    assert client.message.send_template(follower, template, data)["errcode"] == 0
    refused(WeChatClientException, 45015, lambda: client.message.send_text(follower, "您好"))
    # A token that another one replaced is renewed by the library itself.
    client.session.set(client.access_token_key, "of yesterday")
    assert client.user.get(follower)["openid"] == follower


def feishu():
    client = lark_oapi.Client.builder().app_id("cli_a6f1d2c3b4e5500d").app_secret("secret").domain(FEISHU).build()
    user = client.contact.v3.user.get(GetUserRequest.builder().user_id("hx0417").user_id_type("user_id").build())
    assert user.success() and user.data.user.name == "何沐阳", (user.code, user.msg)

    def send(receiver):
        content = json.dumps({"text": "面试安排在周二"}, ensure_ascii=False)
        body = CreateMessageRequestBody.builder().receive_id(receiver).msg_type("text").content(content).build()
        request = CreateMessageRequest.builder().receive_id_type("user_id").request_body(body).build()
        return client.im.v1.message.create(request)

    sent = send("hx0417")
    assert sent.success() and sent.data.message_id, (sent.code, sent.msg)
    assert send("nobody").code == 230013


for peer in (dingtalk, wecom, wechat, feishu):
    peer()
    print(peer.__name__)
