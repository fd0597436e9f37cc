// What a program does that uses co-wechat-api, wechat-api, node-easywechat and wechat-crypto.
//
//   NODE_PATH=NODE_MODULES node node_flow.js BASE_URL APP_ID APP_SECRET CONTROL_URL
//
// Against a sandbox that stands alone, only the address differs from a program for the platform.
// Behind a gateway APP_SECRET is a key of its, WXGATE_SETUP a folder with what it printed for each
// SDK, and WXGATE_KEY an operator's key, for the sandbox's control.
'use strict';

const fs = require('fs');
const os = require('os');
const path = require('path');
const coWechatApi = require('./co_wechat_api');
const easyWechat = require('./node_easywechat');
const wechatApi = require('./wechat_api');
const wechatCrypto = require('./wechat_crypto');
const { pushes } = require('./receiver');
const { isGateway, step } = require('./surroundings');

async function main(folder) {
  const api = await coWechatApi.token();
  await coWechatApi.menu(api);
  await coWechatApi.message(api);
  await coWechatApi.deadToken(api);
  await coWechatApi.media(api, folder);
  await coWechatApi.codes(api);
  await coWechatApi.users(api);
  await coWechatApi.ticket(api);
  const old = await wechatApi.token();
  await wechatApi.calls(old, folder);
  await wechatApi.deadToken(old);
  await easyWechat.officialAccount(folder);
  await easyWechat.miniApp(folder);
  if (!isGateway) {
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
