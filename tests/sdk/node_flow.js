// What a program does that uses co-wechat-api, node-easywechat and wechat-crypto, against a
// sandbox or through a gateway.
//
//   NODE_PATH=NODE_MODULES node node_flow.js BASE_URL APP_ID APP_SECRET CONTROL_URL
//   NODE_PATH=NODE_MODULES node node_flow.js BASE_URL APP_ID KEY
//
// Only the base address differs from a program for the platform, and behind a gateway its key
// stands where a program has the access token that somebody else fetched. That flow is short,
// and of co-wechat-api only.
'use strict';

const fs = require('fs');
const os = require('os');
const path = require('path');
const coWechatApi = require('./co_wechat_api');
const easyWechat = require('./node_easywechat');
const wechatCrypto = require('./wechat_crypto');
const { pushes } = require('./receiver');
const { CONTROL, step } = require('./surroundings');

async function main(folder) {
  const api = await (CONTROL ? coWechatApi.token() : coWechatApi.gatewayKey());
  await coWechatApi.menu(api);
  await coWechatApi.message(api);
  if (CONTROL) {
    await coWechatApi.deadToken(api);
    await coWechatApi.media(api, folder);
    await coWechatApi.codes(api);
    await coWechatApi.users(api);
    await coWechatApi.ticket(api);
    await easyWechat.officialAccount(folder);
    await easyWechat.miniApp(folder);
    const xml = [['secure', 'xml'], ['compatible', 'xml'], ['plain', 'xml']];
    await pushes('node-easywechat', easyWechat, xml.slice(0, 2), folder);
    const json = [['secure', 'json'], ['compatible', 'json'], ['plain', 'json']];
    await pushes('wechat-crypto', wechatCrypto, [...xml, ...json], folder);
  }
  step('done');
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'wxgate-sdk-'));
main(folder)
  .catch((error) => {
    console.log(error);
    process.exitCode = 1;
  })
  .finally(() => fs.rmSync(folder, { recursive: true }));
