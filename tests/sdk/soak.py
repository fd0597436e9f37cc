"""wechatpy calls for a while, as it is pasted: soak.py wechatpy SECONDS APP_ID

Says at the end how many calls there were, and which errors it saw.
"""

import collections
import json
import os
import sys
import time

from wechatpy import WeChatClientException

OPENID = "oTest0000000000000000000001"
#: Between two calls: a client that leaves the processor to others.
PAUSE_S = 0.05


def main():
    names = {}
    with open(os.path.join(os.environ["WXGATE_SETUP"], "wechatpy.py"), encoding="utf-8") as file:
        exec(file.read(), names)
    client = names["client"]
    client.timeout = 10
    until = time.monotonic() + float(sys.argv[2])
    calls, errors = 0, collections.Counter()
    while time.monotonic() < until:
        try:
            if calls % 5:
                client.misc.get_wechat_ips()
            else:
                client.message.send_text(OPENID, "你好")
        except WeChatClientException as error:
            errors["%s %s" % (error.errcode, str(error.errmsg).split(" rid: ")[0])] += 1
        calls += 1
        time.sleep(PAUSE_S)
    print(json.dumps({"sdk": "wechatpy", "calls": calls, "errors": errors}))


main()
