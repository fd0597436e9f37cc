// The calls of wechat-api, the elder of co-wechat-api: callbacks, and other ways with tokens.
'use strict';

const assert = require('assert');
const fs = require('fs');
const path = require('path');
const API = require('wechat-api');
const {
  BASE, APP_ID, SECRET, OPENID, PNG, BUTTONS, step, pasted, isGateway, control,
} = require('./surroundings');

/** A call whose callback is a promise. */
function call(api, name, ...given) {
  return new Promise((done, failed) => {
    api[name](...given, (error, data) => (error ? failed(error) : done(data)));
  });
}

async function refused(code, api, name, ...given) {
  await assert.rejects(call(api, name, ...given), { name: 'WeChatAPIError', code });
}

module.exports = {
  client(secret) {
    const api = new API(APP_ID, secret);
    api.endpoint = BASE;
    api.fileServerPrefix = `${BASE}/cgi-bin/`;
    return api;
  },

  async token() {
    step('wechat-api: access token');
    const api = pasted('wechat-api') || this.client(SECRET);
    const token = await call(api, 'getLatestToken');
    assert.strictEqual(token.accessToken.startsWith('wxgt_'), isGateway);
    assert((await call(api, 'getIp')).ip_list.length > 0);
    await refused(40125, this.client('not-the-secret'), 'getAccessToken');
    return api;
  },

  async calls(api, folder) {
    step('wechat-api: menu, message, media, QR code, users, JS ticket');
    assert.strictEqual((await call(api, 'createMenu', { button: BUTTONS })).errcode, 0);
    assert.strictEqual((await call(api, 'getMenu')).menu.button[0].name, '今日歌曲');
    assert.strictEqual((await call(api, 'removeMenu')).errcode, 0);
    await refused(46003, api, 'getMenu');
    assert.strictEqual((await call(api, 'sendText', OPENID, '你好')).errcode, 0);
    const file = path.join(folder, 'c.png');
    fs.writeFileSync(file, PNG);
    const { media_id: media } = await call(api, 'uploadMedia', file, 'image');
    assert(PNG.equals(await call(api, 'getMedia', media)));
    assert((await call(api, 'createTmpQRCode', 100, 600)).ticket);
    assert.strictEqual((await call(api, 'getUser', OPENID)).openid, OPENID);
    const about = { jsApiList: ['scanQRCode'], url: 'https://example.com/' };
    assert.strictEqual((await call(api, 'getJsConfig', about)).signature.length, 40);
  },

  /** It keeps a dead token until the end that was planned: last, for it is of no use then. */
  async deadToken(api) {
    step('wechat-api: a dead access token');
    for (const [kind, code] of [['foreign_fetch', 40001], ['expire_token', 42001]]) {
      await control('POST', 'faults', { kind });
      if (isGateway) {
        assert((await call(api, 'getIp')).ip_list.length > 0);
      } else {
        await refused(code, api, 'getIp');
      }
    }
  },
};
