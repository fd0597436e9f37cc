// An SDK of Node.js calls for a while, as it is pasted: soak.js SDK SECONDS APP_ID
//
// Says at the end how many calls there were, and which errors it saw.
'use strict';

const path = require('path');

const [sdk, seconds] = process.argv.slice(2);
const OPENID = 'oTest0000000000000000000001';
/** Between two calls: a client that leaves the processor to others. */
const PAUSE_MS = 50;

const pasted = require(path.join(process.env.WXGATE_SETUP, `${sdk}.js`));

function promised(name, ...given) {
  return new Promise((done, failed) => {
    pasted[name](...given, (error, data) => (error ? failed(error) : done(data)));
  });
}

/** It has no methods for calls: it sends them, and the caller reads the errcode. */
async function sent(call, data) {
  const client = pasted.getClient();
  const answer = (await (data ? client.postJson(call, data) : client.get(call))).toObject();
  if (answer.errcode) throw Object.assign(new Error(answer.errmsg), { code: answer.errcode });
}

const MESSAGE = { touser: OPENID, msgtype: 'text', text: { content: '你好' } };
const CALLS = {
  'co-wechat-api': [() => pasted.getIp(), () => pasted.sendText(OPENID, '你好')],
  'wechat-api': [() => promised('getIp'), () => promised('sendText', OPENID, '你好')],
  'node-easywechat': [
    () => sent('cgi-bin/getcallbackip'),
    () => sent('cgi-bin/message/custom/send', MESSAGE),
  ],
};

async function main() {
  const [read, write] = CALLS[sdk];
  const until = Date.now() + seconds * 1000;
  const errors = {};
  let calls = 0;
  while (Date.now() < until) {
    try {
      await (calls % 5 ? read() : write());
    } catch (error) {
      const name = `${error.code} ${error.message.replace(/ rid: .*/, '')}`;
      errors[name] = (errors[name] || 0) + 1;
    }
    calls += 1;
    await new Promise((done) => setTimeout(done, PAUSE_MS));
  }
  console.log(JSON.stringify({ sdk, calls, errors }));
}

main();
