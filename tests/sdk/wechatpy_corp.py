"""What a program does that uses wechatpy for an app of WeCom, through a gateway.

    wechatpy_corp.py BASE_URL CORP_ID KEY FAULTS_URL

Only the base address differs from a program for WeCom, and the key stands in place of the
app's Secret. FAULTS_URL is called with the operator's key of WXGATE_KEY.
"""

import io
import os
import sys

import requests
from wechatpy.enterprise import WeChatClient
from wechatpy.enterprise.client.api import WeChatMedia
from wechatpy.exceptions import WeChatClientException

BASE, CORP_ID, KEY, FAULTS = sys.argv[1].rstrip("/") + "/", *sys.argv[2:5]
AGENT_ID = 1000002
PLATFORM = "https://qyapi.weixin.qq.com/"
PATIENCE_S = 10


class Media(WeChatMedia):
    def get_url(self, media_id):
        return super().get_url(media_id).replace(PLATFORM, BASE)


class Client(WeChatClient):
    """wechatpy writes the address of WeCom in three places."""

    API_BASE_URL = BASE + "cgi-bin/"
    media = Media()

    def fetch_access_token(self):
        return self._fetch_access_token(
            url=self.API_BASE_URL + "gettoken",
            params={"corpid": self.corp_id, "corpsecret": self.secret},
        )


def step(name):
    print("wechatpy:", name, flush=True)


def refused(errcode, call):
    try:
        answer = call()
    except WeChatClientException as error:
        assert error.errcode == errcode, error
        assert error.errmsg, error
    else:
        raise AssertionError("errcode %s was due, not %r" % (errcode, answer))


def token():
    step("access token")
    client = Client(CORP_ID, KEY, timeout=PATIENCE_S)
    answer = client.fetch_access_token()
    assert answer["errcode"] == 0 and answer["expires_in"] == 7200, answer
    assert client.access_token.startswith("wxgt_"), "the real token left the gateway"
    assert client.misc.get_wechat_ips(), "no addresses"
    refused(40001, Client(CORP_ID, "not-the-secret").fetch_access_token)
    refused(40013, Client("ww9", KEY).fetch_access_token)
    return client


def directory(client):
    step("members and departments")
    assert client.user.get("ZhangSan")["name"] == "张三"
    assert [one["userid"] for one in client.user.list(2, simple=True)] == ["ZhangSan", "LiSi"]
    assert len(client.department.get()) == 3
    refused(60111, lambda: client.user.get("nobody"))


def media_and_messages(client):
    step("media, up and down, and messages")
    content = bytes(range(256)) * 20
    made = client.media.upload("file", ("图.bin", io.BytesIO(content), "application/pdf"))
    assert client.media.download(made["media_id"]).content == content
    assert client.message.send_text(AGENT_ID, ["ZhangSan", "LiSi"], "你好")["errcode"] == 0
    assert client.message.send_file(AGENT_ID, "@all", made["media_id"])["errcode"] == 0
    refused(301002, lambda: client.message.send_text(7, "ZhangSan", "你好"))


def dead_token(client):
    step("a dead token is the gateway's affair")
    before = client.access_token
    faults = requests.post(
        FAULTS,
        json={"kind": "expire_token"},
        headers={"X-Api-Key": os.environ["WXGATE_KEY"]},
        timeout=PATIENCE_S,
    )
    assert faults.status_code == 200, faults.text
    assert client.user.get("LiSi")["name"] == "李四"
    assert client.access_token == before, "the SDK was bothered with it"


def main():
    client = token()
    directory(client)
    media_and_messages(client)
    dead_token(client)
    step("done")


main()
