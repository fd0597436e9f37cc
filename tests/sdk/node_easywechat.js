// The calls of node-easywechat, and its answers to pushes.
'use strict';

const assert = require('assert');
const fs = require('fs');
const path = require('path');
const { MiniApp, OfficialAccount, ServerRequest } = require('node-easywechat');
const {
  BASE, APP_ID, SECRET, OPENID, PNG, BUTTONS, TOKEN, AES_KEY, step, isPng, pasted,
} = require('./surroundings');

module.exports = {
  config(folder) {
    return {
      app_id: APP_ID,
      secret: SECRET,
      token: TOKEN,
      aes_key: AES_KEY,
      http: { baseURL: `${BASE}/` },
      file_cache: { path: folder },
    };
  },

  async officialAccount(folder) {
    step('node-easywechat: token, menu, message');
    const app = new OfficialAccount(this.config(folder));
    assert(await app.getAccessToken().getToken());
    const client = app.getClient();
    const post = async (call, data) => (await client.postJson(call, data)).toObject();
    assert.strictEqual((await post('cgi-bin/menu/create', { button: BUTTONS })).errcode, 0);
    const menu = (await client.get('cgi-bin/menu/get')).toObject();
    assert.strictEqual(menu.menu.button[0].name, '今日歌曲');
    assert.strictEqual((await client.get('cgi-bin/menu/delete')).toObject().errcode, 0);
    assert.strictEqual((await client.get('cgi-bin/menu/get')).toObject().errcode, 46003);
    const message = { touser: OPENID, msgtype: 'text', text: { content: '你好' } };
    assert.strictEqual((await post('cgi-bin/message/custom/send', message)).errcode, 0);
    const { template_id } = await post('cgi-bin/template/api_add_template', {
      template_id_short: 'TM00015',
    });
    const notice = { touser: OPENID, template_id, data: { keyword1: { value: '39.8元' } } };
    assert.strictEqual((await post('cgi-bin/message/template/send', notice)).errcode, 0);

    step('node-easywechat: media, QR code, tags, JS ticket');
    const file = path.join(folder, 'b.png');
    fs.writeFileSync(file, PNG);
    const upload = (call) => client.withFile(file, 'media').post(call, { params: { type: 'image' } });
    const { media_id } = (await upload('cgi-bin/media/upload')).toObject();
    const bytes = { params: { media_id }, responseType: 'arraybuffer' };
    assert(PNG.equals((await client.get('cgi-bin/media/get', bytes)).getContent()));
    const kept = (await upload('cgi-bin/material/add_material')).toObject();
    assert(kept.media_id && kept.url, JSON.stringify(kept));
    const scene = { action_name: 'QR_SCENE', action_info: { scene: { scene_id: 7 } } };
    assert((await post('cgi-bin/qrcode/create', scene)).ticket);
    const { tag } = await post('cgi-bin/tags/create', { tag: { name: '星标' } });
    const tagging = { openid_list: [OPENID], tagid: tag.id };
    assert.strictEqual((await post('cgi-bin/tags/members/batchtagging', tagging)).errcode, 0);
    const config = await app.getUtils().buildJsSdkConfig('https://example.com/', ['scanQRCode']);
    assert(config.appId === APP_ID && config.signature.length === 40, JSON.stringify(config));
  },

  async miniApp(folder) {
    step('node-easywechat: stable token, login, mini program code');
    const stable = { ...this.config(folder), use_stable_access_token: true };
    const app = pasted('node-easywechat') || new MiniApp(stable);
    const session = await app.getUtils().codeToSession('user-2');
    assert(session.openid && session.session_key, JSON.stringify(session));
    const code = await app.getClient().postJson('wxa/getwxacodeunlimit', { scene: 'a=1' }, {
      responseType: 'arraybuffer',
    });
    assert(code.is('image') && isPng(code.getContent()), code.toString());
  },

  /** Answers a push with the SDK's own server. */
  async answer(folder, request, body, came) {
    const app = new OfficialAccount(this.config(folder));
    app.setRequest(await ServerRequest.createFromIncomingMessage(request, body));
    const server = app.getServer();
    server.addEventListener('open_product_spu_audit', async (message) => {
      came(message.OpenProductSpuAudit.product_id);
      return true;
    });
    server.addMessageListener('text', async (message) => {
      came(message.Content);
      return `收到:${message.Content}`;
    });
    return (await server.serve()).getBody().toString();
  },
};
