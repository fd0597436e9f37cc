// Answers to pushes, signed and encrypted with wechat-crypto.
'use strict';

const assert = require('assert');
const WXBizMsgCrypt = require('wechat-crypto');
const { APP_ID, TOKEN, AES_KEY } = require('./surroundings');

module.exports = {
  crypto: new WXBizMsgCrypt(TOKEN, AES_KEY, APP_ID),

  /** The text of an element or of a JSON field. */
  field(text, name) {
    if (text.startsWith('{')) return JSON.parse(text)[name];
    const found = text.match(new RegExp(`<${name}>(?:<!\\[CDATA\\[)?([^<\\]]*)`));
    return found && found[1];
  },

  async answer(_folder, _request, body, came, query) {
    let told = body;
    const isSealed = query.get('encrypt_type') === 'aes';
    if (isSealed) {
      const encrypt = this.field(body, 'Encrypt');
      const signature = this.sign(query.get('timestamp'), query.get('nonce'), encrypt);
      assert.strictEqual(query.get('msg_signature'), signature);
      const opened = this.crypto.decrypt(encrypt);
      assert.strictEqual(opened.id, APP_ID);
      told = opened.message;
    }
    if (this.field(told, 'MsgType') !== 'text') {
      const audit = told.startsWith('{') ? JSON.parse(told).OpenProductSpuAudit : null;
      came(audit ? audit.product_id : this.field(told, 'product_id'));
      return 'success';
    }
    const content = this.field(told, 'Content');
    came(content);
    const reply = this.reply(told, `收到:${content}`);
    return isSealed ? this.sealed(reply, told.startsWith('{')) : reply;
  },

  reply(told, content) {
    const fields = {
      ToUserName: this.field(told, 'FromUserName'),
      FromUserName: this.field(told, 'ToUserName'),
      CreateTime: Math.floor(Date.now() / 1000),
      MsgType: 'text',
      Content: content,
    };
    return told.startsWith('{') ? JSON.stringify(fields) : this.xml(fields);
  },

  sealed(reply, isJson) {
    const [TimeStamp, Nonce] = [Math.floor(Date.now() / 1000), '1320562132'];
    const Encrypt = this.crypto.encrypt(reply);
    const fields = { Encrypt, MsgSignature: this.sign(TimeStamp, Nonce, Encrypt), TimeStamp, Nonce };
    return isJson ? JSON.stringify(fields) : this.xml(fields);
  },

  sign(timestamp, nonce, encrypt) {
    return this.crypto.getSignature(timestamp, nonce, encrypt);
  },

  xml(fields) {
    const element = ([name, value]) => `<${name}><![CDATA[${value}]]></${name}>`;
    return `<xml>${Object.entries(fields).map(element).join('')}</xml>`;
  },
};
