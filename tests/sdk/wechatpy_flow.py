"""What a program does that uses wechatpy.

    wechatpy_flow.py BASE_URL APP_ID APP_SECRET CONTROL_URL

Against a sandbox that stands alone, only the address differs from a program for the platform.
Behind a gateway APP_SECRET is a key of its, WXGATE_SETUP a folder with what it printed for
wechatpy, and WXGATE_KEY an operator's key, for the sandbox's control.
"""

import io
import itertools
import json
import os
import queue
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import requests
from wechatpy import WeChatClient, WeChatClientException, create_reply, parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.utils import check_signature

BASE, APP_ID, SECRET = sys.argv[1].rstrip("/") + "/", sys.argv[2], sys.argv[3]
CONTROL = sys.argv[4].rstrip("/") + "/"
SETUP = os.environ.get("WXGATE_SETUP")
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20
OPENID = "oTest0000000000000000000001"
PATIENCE_S = 10


class Elsewhere(requests.adapters.HTTPAdapter):
    """wechatpy writes the address of the platform in many places."""

    def send(self, request, **options):
        request.url = request.url.replace("https://api.weixin.qq.com/", BASE, 1)
        options["verify"] = "wxgate-ca.pem" if SETUP else True
        return super().send(request, **options)


def client_of(secret):
    client = WeChatClient(APP_ID, secret, timeout=PATIENCE_S)
    client._http.mount("https://api.weixin.qq.com/", Elsewhere())
    return client


def pasted():
    """The client of a program that has pasted what the gateway printed."""
    names = {}
    with open(os.path.join(SETUP, "wechatpy.py"), encoding="utf-8") as file:
        exec(file.read(), names)
    return names["client"]


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
    client = pasted() if SETUP else client_of(SECRET)
    answer = client.fetch_access_token()
    assert answer["expires_in"] > 7000 and client.access_token == answer["access_token"], answer
    assert client.access_token.startswith("wxgt_") == bool(SETUP)
    assert client.misc.get_wechat_ips(), "no addresses"
    return client


def dead_token(client):
    step("a dead access token")
    before = client.access_token
    control("POST", "faults", {"kind": "expire_token"})
    assert client.misc.get_wechat_ips()
    # Behind a gateway it is not the client's token that dies.
    assert (client.access_token == before) == bool(SETUP)
    refused(40125, client_of("not-the-secret").fetch_access_token)


def menu(client):
    step("menu")
    search = {"type": "view", "name": "搜索", "url": "https://example.com/"}
    buttons = [
        {"type": "click", "name": "今日歌曲", "key": "SONG"},
        {"name": "菜单", "sub_button": [search]},
    ]
    assert client.menu.create({"button": buttons})["errcode"] == 0
    seen = client.menu.get()["menu"]["button"]
    assert [button["name"] for button in seen] == ["今日歌曲", "菜单"], seen
    assert seen[1]["sub_button"][0]["url"] == search["url"], seen
    assert client.menu.get_menu_info()["is_menu_open"] == 1
    rule = {"client_platform_type": "2"}
    made = client.menu.add_conditional({"button": buttons[:1], "matchrule": rule})
    assert len(client.menu.try_match(OPENID)["button"]) == 2
    assert client.menu.del_conditional(made["menuid"])["errcode"] == 0
    assert client.menu.delete()["errcode"] == 0
    assert client.menu.get() is None, "46003 was due"


def message(client):
    step("customer and template messages")
    assert client.message.send_text(OPENID, "你好")["errcode"] == 0
    template_id = client.template.add("TM00015")
    answer = client.message.send_template(OPENID, template_id, {"keyword1": {"value": "39.8元"}})
    assert answer["errcode"] == 0 and isinstance(answer["msgid"], int), answer
    listed = client.template.get_all_private_template()["template_list"]
    assert template_id in [template["template_id"] for template in listed], listed
    refused(40003, lambda: client.message.send_text("", "你好"))


def media(client):
    step("media, up and down")
    made = client.media.upload("image", ("图.png", io.BytesIO(PNG), "image/png"))
    assert made["type"] == "image" and made["created_at"], made
    down = client.media.download(made["media_id"])
    assert down.content == PNG and down.headers["content-type"] == "image/png", down.headers
    assert client.message.send_image(OPENID, made["media_id"])["errcode"] == 0
    refused(40007, lambda: client.media.download("no-such-media"))
    assert client.media.upload_image(io.BytesIO(PNG)).startswith("http")


def material(client):
    step("permanent material")
    made = client.material.add("image", ("a.png", io.BytesIO(PNG), "image/png"))
    assert client.material.get(made["media_id"]).content == PNG
    assert client.material.get_count()["image_count"] == 1
    page = client.material.batchget("image")
    assert page["item"][0]["media_id"] == made["media_id"], page
    assert client.material.delete(made["media_id"])["errcode"] == 0
    refused(40007, lambda: client.material.get(made["media_id"]))


def codes(client):
    step("QR codes and mini program codes")
    made = client.qrcode.create({
        "expire_seconds": 600,
        "action_name": "QR_STR_SCENE",
        "action_info": {"scene": {"scene_str": "shop-1"}},
    })
    assert made["expire_seconds"] == 600 and made["url"].startswith("http"), made
    address = client.qrcode.get_url(made).replace("https://mp.weixin.qq.com/", BASE)
    assert get(address).content.startswith(b"\x89PNG")
    # What it sends has colours as text, and no `page`.
    for code in [
        client.wxa.get_wxa_code_unlimited("a=1"),
        client.wxa.get_wxa_code("pages/index/index?a=1"),
        client.wxa.create_qrcode("pages/index/index?a=1"),
    ]:
        assert code.content.startswith(b"\x89PNG"), code.content[:200]
    refused(40169, lambda: client.wxa.get_wxa_code_unlimited(""))


def users(client):
    step("users and tags")
    user = client.user.get(OPENID)
    assert user["openid"] == OPENID and user["subscribe"] == 1, user
    assert client.user.get_batch([OPENID])[0]["openid"] == OPENID
    assert OPENID in list(client.user.iter_followers())
    assert client.user.update_remark(OPENID, "熟客")["errcode"] == 0
    assert client.user.get(OPENID)["remark"] == "熟客"
    tag = client.tag.create("广东")
    assert client.tag.tag_user(tag["id"], OPENID)["errcode"] == 0
    assert client.tag.get_user_tag(OPENID) == [tag["id"]]
    assert list(client.tag.iter_tag_users(tag["id"])) == [OPENID]
    assert client.tag.untag_user(tag["id"], OPENID)["errcode"] == 0
    assert client.tag.update(tag["id"], "广州")["errcode"] == 0
    assert "广州" in [known["name"] for known in client.tag.get()]
    assert client.tag.delete(tag["id"])["errcode"] == 0


def ticket(client):
    step("JS ticket")
    text = client.jsapi.get_jsapi_ticket()
    assert text and client.jsapi.get_jsapi_ticket() == text
    signature = client.jsapi.get_jsapi_signature("nonce", text, 1600000000, "https://example.com/")
    assert len(signature) == 40
    assert client.jsapi.get_jsapi_card_ticket() != text


class Receiver(ThreadingHTTPServer):
    """The developer's server: checks, decrypts and answers with wechatpy."""

    token = "TokenOfTheReceiver"
    aes_key = "wgk3cretAESKeyOfTheReceiver0123456789abcdef"

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.came = queue.Queue()
        self.crypto = WeChatCrypto(self.token, self.aes_key, APP_ID)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return "http://127.0.0.1:%d/wechat" % self.server_address[1]

    def read(self, query, body):
        """The message in any of the modes and formats, and whether it was encrypted."""
        if query.get("encrypt_type") != "aes":
            return body, False
        sealed = json.loads(body) if body.startswith("{") else body
        opened = self.crypto.decrypt_message(
            sealed, query["msg_signature"], query["timestamp"], query["nonce"]
        )
        return opened, True


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        query = self.checked()
        self.answer(query["echostr"])

    def do_POST(self):
        query = self.checked()
        body = self.rfile.read(int(self.headers["Content-Length"])).decode("utf-8")
        text, is_sealed = self.server.read(query, body)
        if text.startswith("{"):
            self.server.came.put((json.loads(text), is_sealed))
            return self.answer("success")
        told = parse_message(text)
        self.server.came.put((told, is_sealed))
        if told.type != "text":
            return self.answer("success")
        reply = create_reply("收到:" + told.content, told, render=True)
        if is_sealed:
            reply = self.server.crypto.encrypt_message(reply, query["nonce"], query["timestamp"])
        self.answer(reply)

    def checked(self):
        query = dict(parse_qsl(urlsplit(self.path).query))
        check_signature(self.server.token, query["signature"], query["timestamp"], query["nonce"])
        return query

    def answer(self, text):
        body = text.encode("utf-8")
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def get(address, method="GET", body=None):
    key = os.environ.get("WXGATE_KEY")
    return requests.request(
        method,
        address,
        json=body,
        headers={"Authorization": "Bearer " + key} if key else None,
        verify="wxgate-ca.pem" if SETUP else True,
        timeout=PATIENCE_S,
    )


def control(method, path, body=None):
    answer = get(CONTROL + path, method, body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def delivered(event):
    """The newest push, once it is no longer waiting."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        push = control("GET", "pushes")["pushes"][-1]
        if push["outcome"] != "waiting":
            assert push["event"] == event and push["outcome"] == "delivered", push
            return push
        time.sleep(0.02)
    raise AssertionError("still waiting: %s" % push)


def fire(receiver, event, fields):
    # By force: the account has no such product.
    control("POST", "events", {"event": event, "set": fields, "force": True})
    came = receiver.came.get(timeout=PATIENCE_S)
    return came + (delivered(event)["attempts"][-1]["answer"],)


def pushes():
    receiver = Receiver()
    for mode, form in itertools.product(["secure", "compatible", "plain"], ["xml", "json"]):
        step("pushes, %s as %s" % (mode, form))
        config = {"url": receiver.url, "token": receiver.token, "aes_key": receiver.aes_key}
        control("POST", "push", dict(config, mode=mode, format=form))
        audit = {"out_product_id": "SPU-1", "product_id": 324545, "status": 4}
        told, is_sealed, answer = fire(receiver, "open_product_spu_audit", audit)
        assert is_sealed == (mode != "plain") and answer == "success", (mode, is_sealed, answer)
        fields = told if form == "json" else told._data
        assert fields["Event"] == "open_product_spu_audit", fields
        assert str(fields["OpenProductSpuAudit"]["product_id"]) == "324545", fields
        told, _, answer = fire(receiver, "text", {"Content": "有货吗?"})
        if form == "json":
            assert told["Content"] == "有货吗?" and told["MsgId"] > 0, told
        else:
            assert told.content == "有货吗?" and told.id > 0 and told.source.startswith("o"), told
            assert "<Content><![CDATA[收到:有货吗?]]></Content>" in answer, answer
    control("DELETE", "push")
    receiver.shutdown()


def main():
    client = token()
    menu(client)
    message(client)
    dead_token(client)
    media(client)
    material(client)
    codes(client)
    users(client)
    ticket(client)
    if not SETUP:
        pushes()
    step("done")


main()
