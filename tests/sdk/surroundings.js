// What all flows share: where they run, what they send, how they control the sandbox.
'use strict';

const assert = require('assert');
const path = require('path');

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

/** Whether a gateway stands before the sandbox. */
const isGateway = Boolean(process.env.WXGATE_SETUP);

function step(name) {
  console.log(name);
}

function isPng(bytes) {
  return Buffer.isBuffer(bytes) && bytes.subarray(0, 4).equals(PNG.subarray(0, 4));
}

/**
 * The client of a program that has pasted what `wxgate key create --for` printed; none in front
 * of a sandbox that stands alone.
 */
function pasted(word) {
  const folder = process.env.WXGATE_SETUP;
  return folder && require(path.join(folder, `${word}.js`));
}

async function control(method, part, body) {
  const answer = await fetch(`${CONTROL}/${part}`, {
    method,
    headers: process.env.WXGATE_KEY && { authorization: `Bearer ${process.env.WXGATE_KEY}` },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  const text = await answer.text();
  assert.strictEqual(answer.status, 200, text);
  return JSON.parse(text);
}

module.exports = {
  BASE, APP_ID, SECRET, CONTROL, OPENID, PNG, BUTTONS, PATIENCE_MS, TOKEN, AES_KEY,
  step, isPng, pasted, isGateway, control,
};
