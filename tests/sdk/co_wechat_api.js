// The calls of co-wechat-api.
'use strict';

const assert = require('assert');
const fs = require('fs');
const path = require('path');
const API = require('co-wechat-api');
const {
  BASE, APP_ID, SECRET, OPENID, PNG, BUTTONS, step, isPng, pasted, isGateway, control,
} = require('./surroundings');

async function refused(code, call) {
  await assert.rejects(call, { name: 'WeChatAPIError', code });
}

module.exports = {
  /** A client that takes our address for the platform's. */
  client(secret) {
    const api = new API(APP_ID, secret);
    const { request } = api;
    api.request = function (url, ...rest) {
      return request.call(this, url.replace(/^https?:\/\/[^/]+/, BASE), ...rest);
    };
    return api;
  },

  async token() {
    step('co-wechat-api: access token');
    const api = pasted('co-wechat-api') || this.client(SECRET);
    const token = await api.getAccessToken();
    assert(token.accessToken && token.isValid());
    assert.strictEqual(token.accessToken.startsWith('wxgt_'), isGateway);
    assert((await api.getIp()).ip_list.length > 0);
    return api;
  },

  async deadToken(api) {
    step('co-wechat-api: a dead access token');
    const before = (await api.ensureAccessToken()).accessToken;
    await control('POST', 'faults', { kind: 'expire_token' });
    assert((await api.getIp()).ip_list.length > 0);
    // Behind a gateway it is not the client's token that dies.
    assert.strictEqual((await api.ensureAccessToken()).accessToken === before, isGateway);
    await refused(40125, () => this.client('not-the-secret').getAccessToken());
  },

  async menu(api) {
    step('co-wechat-api: menu');
    assert.strictEqual((await api.createMenu({ button: BUTTONS })).errcode, 0);
    const seen = (await api.getMenu()).menu.button;
    assert.deepStrictEqual(seen.map((button) => button.name), ['今日歌曲', '菜单']);
    assert.strictEqual((await api.getMenuConfig()).is_menu_open, 1);
    const rule = { button: BUTTONS.slice(0, 1), matchrule: { client_platform_type: '2' } };
    const { menuid } = await api.addConditionalMenu(rule);
    assert.strictEqual((await api.tryConditionalMenu(OPENID)).button.length, 2);
    assert.strictEqual((await api.delConditionalMenu(menuid)).errcode, 0);
    assert.strictEqual((await api.removeMenu()).errcode, 0);
    await refused(46003, () => api.getMenu());
  },

  async message(api) {
    step('co-wechat-api: customer and template messages');
    assert.strictEqual((await api.sendText(OPENID, '你好')).errcode, 0);
    const { template_id: template } = await api.addTemplate('TM00015');
    const data = { keyword1: { value: '39.8元', color: '#173177' } };
    const sent = await api.sendTemplate(OPENID, template, 'https://example.com/', '#FF0000', data);
    assert(sent.errcode === 0 && sent.msgid > 0, JSON.stringify(sent));
    const { template_list: listed } = await api.getAllPrivateTemplate();
    assert(listed.some((known) => known.template_id === template));
    await refused(40003, () => api.sendText('', '你好'));
  },

  async media(api, folder) {
    step('co-wechat-api: media and permanent material');
    const made = await api.uploadMedia(PNG, 'image', '图.png', 'image/png');
    assert.strictEqual(made.type, 'image');
    assert(PNG.equals(await api.getMedia(made.media_id)));
    assert.strictEqual((await api.sendImage(OPENID, made.media_id)).errcode, 0);
    await refused(40007, () => api.getMedia('no-such-media'));
    const file = path.join(folder, 'a.png');
    fs.writeFileSync(file, PNG);
    assert((await api.uploadImage(file)).url.startsWith('http'));
    const { media_id: id } = await api.uploadImageMaterial(file);
    assert(PNG.equals(await api.getMaterial(id)));
    assert.strictEqual((await api.getMaterialCount()).image_count, 1);
    assert.strictEqual((await api.getMaterials('image', 0, 20)).item[0].media_id, id);
    const about = { title: '片', introduction: '一段' };
    const { media_id: video } = await api.uploadVideoMaterial(file, about);
    assert.strictEqual((await api.getMaterial(video)).title, '片');
    for (const material of [id, video]) {
      assert.strictEqual((await api.removeMaterial(material)).errcode, 0);
    }
    await refused(40007, () => api.getMaterial(id));
  },

  async codes(api) {
    step('co-wechat-api: QR codes and mini program codes');
    const made = await api.createTmpQRCode(100, 600);
    assert(made.expire_seconds === 600 && made.url.startsWith('http'), JSON.stringify(made));
    // A picture for everybody: it goes past a gateway.
    if (!isGateway) assert(isPng(await api.request(api.showQRCodeURL(made.ticket))));
    assert((await api.createLimitQRCode('shop-1')).ticket);
    assert(isPng(await api.getWXACodeUnlimit('a=1')));
    assert(isPng(await api.getWXACode('pages/index/index?a=1')));
    assert(isPng(await api.createWXAQRCode('pages/index/index?a=1')));
    await refused(40169, () => api.getWXACodeUnlimit(''));
  },

  async users(api) {
    step('co-wechat-api: users and tags');
    assert.strictEqual((await api.getUser(OPENID)).openid, OPENID);
    assert.strictEqual((await api.batchGetUsers([OPENID])).user_info_list[0].openid, OPENID);
    assert((await api.getFollowers()).data.openid.includes(OPENID));
    assert.strictEqual((await api.updateRemark(OPENID, '熟客')).errcode, 0);
    assert.strictEqual((await api.getUser({ openid: OPENID, lang: 'zh_CN' })).remark, '熟客');
    const { tag } = await api.createTags('广东');
    assert.strictEqual((await api.batchTagging([OPENID], tag.id)).errcode, 0);
    assert.deepStrictEqual((await api.getIdList(OPENID)).tagid_list, [tag.id]);
    assert.deepStrictEqual((await api.getUsersFromTag(tag.id)).data.openid, [OPENID]);
    assert.strictEqual((await api.batchUnTagging([OPENID], tag.id)).errcode, 0);
    assert.strictEqual((await api.updateTag(tag.id, '广州')).errcode, 0);
    assert((await api.getTags()).tags.some((known) => known.name === '广州'));
    assert.strictEqual((await api.deleteTag(tag.id)).errcode, 0);
  },

  async ticket(api) {
    step('co-wechat-api: JS ticket, login');
    const config = await api.getJsConfig({ jsApiList: ['scanQRCode'], url: 'https://example.com/' });
    assert(config.appId === APP_ID && config.signature.length === 40, JSON.stringify(config));
    assert((await api.getLatestTicket()).isValid());
    const session = await api.code2Session('user-1');
    assert(session.openid.startsWith('o') && session.session_key, JSON.stringify(session));
  },
};
