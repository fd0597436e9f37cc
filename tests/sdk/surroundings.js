// What all flows share: where they run, what they send, how they control the sandbox.
'use strict';

const assert = require('assert');

const [BASE, APP_ID, SECRET, CONTROL] = process.argv.slice(2);
const OPENID = 'oTest0000000000000000000001';
const PNG = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(5000, 'wxgate')]);
const BUTTONS = [
  { type: 'click', name: '今日歌曲', key: 'SONG' },
  { name: '菜单', sub_button: [{ type: 'view', name: '搜索', url: 'https://example.com/' }] },
];
const PATIENCE_MS = 10000;
/** What pushes are signed and encrypted with. */
const TOKEN = 'TokenOfTheReceiver';
const AES_KEY = 'wgk3cretAESKeyOfTheReceiver0123456789abcdef';

function step(name) {
  console.log(name);
}

function isPng(bytes) {
  return Buffer.isBuffer(bytes) && bytes.subarray(0, 4).equals(PNG.subarray(0, 4));
}

async function control(method, part, body) {
  const answer = await fetch(`${CONTROL}/${part}`, {
    method,
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  const text = await answer.text();
  assert.strictEqual(answer.status, 200, text);
  return JSON.parse(text);
}

module.exports = {
  BASE, APP_ID, SECRET, CONTROL, OPENID, PNG, BUTTONS, PATIENCE_MS, TOKEN, AES_KEY,
  step, isPng, control,
};
