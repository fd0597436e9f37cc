// A developer's server that gets pushes from the sandbox and lets an SDK answer them.
'use strict';

const assert = require('assert');
const http = require('http');
const wechatCrypto = require('./wechat_crypto');
const { TOKEN, AES_KEY, PATIENCE_MS, step, control } = require('./surroundings');

/** The developer's server: `sdk` answers, and what it was told waits in `came`. */
async function receiver(sdk, folder) {
  const came = [];
  const server = http.createServer(async (request, response) => {
    const query = new URL(request.url, 'http://localhost').searchParams;
    const given = [query.get('timestamp'), query.get('nonce'), ''];
    try {
      assert.strictEqual(query.get('signature'), wechatCrypto.sign(...given));
      const parts = [];
      for await (const part of request) parts.push(part);
      const body = Buffer.concat(parts).toString();
      const isCheck = request.method === 'GET';
      response.end(
        isCheck
          ? query.get('echostr')
          : await sdk.answer(folder, request, body, (what) => came.push(String(what)), query),
      );
    } catch (error) {
      console.log(error);
      response.writeHead(500).end(String(error));
    }
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  return { came, server, url: `http://127.0.0.1:${server.address().port}/wechat` };
}

/** The newest push, once it is no longer waiting. */
async function delivered(event) {
  const until = Date.now() + PATIENCE_MS;
  while (Date.now() < until) {
    const push = (await control('GET', 'pushes')).pushes.pop();
    if (push.outcome !== 'waiting') {
      assert(push.event === event && push.outcome === 'delivered', JSON.stringify(push));
      return push.attempts.pop().answer;
    }
    await new Promise((later) => setTimeout(later, 20));
  }
  throw new Error(`${event} was not delivered`);
}

/** Tells of an event and of a user's message in each mode and format. */
async function pushes(name, sdk, forms, folder) {
  const { came, server, url } = await receiver(sdk, folder);
  try {
    for (const [mode, format] of forms) {
      step(`${name}: pushes, ${mode} as ${format}`);
      await control('POST', 'push', { url, token: TOKEN, aes_key: AES_KEY, mode, format });
      const audit = { out_product_id: 'SPU-1', product_id: 324545, status: 4 };
      // By force: the account has no such product.
      const event = { event: 'open_product_spu_audit', set: audit, force: true };
      await control('POST', 'events', event);
      assert.strictEqual(await delivered('open_product_spu_audit'), 'success');
      await control('POST', 'events', { event: 'text', set: { Content: '有货吗?' } });
      assert((await delivered('text')).includes('收到:有货吗?'));
      assert.deepStrictEqual(came.splice(0), ['324545', '有货吗?']);
    }
    await control('DELETE', 'push');
  } finally {
    server.close();
  }
}

module.exports = { pushes };
