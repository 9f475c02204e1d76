// test/integration/status_push.test.mjs - a message wakes a phone: noroshi asks status-go's push server, which asks its gorush.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { describe, test } from 'node:test';

import { StatusPeer } from '../peers/lib/status-peer.mjs';
import { notified, pair, reaches, scene } from '../peers/lib/status-scene.mjs';

/** What stands before Apple's and Google's servers, which take notifications from their own customers only. */
async function gorush(t) {
  const posts = [];
  const server = createServer((request, answer) => {
    let body = '';
    request.on('data', (part) => { body += part; });
    request.on('end', () => {
      if (request.method === 'POST' && request.url === '/api/push') posts.push(JSON.parse(body));
      answer.writeHead(200, { 'content-type': 'application/json' }).end('{"success":"ok","counts":1,"logs":[]}');
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => { server.closeAllConnections(); server.close(); });
  return { url: `http://127.0.0.1:${server.address().port}`, posts };
}

const shake = (data) => `0x${createHash('shake256', { outputLength: 64 }).update(data).digest('hex')}`;
const pushes = (daemon, result) => daemon.metric(`noroshi_status_push_total{result="${result}"}`);
const counted = (daemon, result, ms = 60_000) =>
  daemon.child.until(`has counted ${result}`, async () => (await pushes(daemon, result)) >= 1, ms);

/** A push server through which the others meet, a user, and the daemon that tells him. */
async function pushScene(t, { number, contactsOnly = false }) {
  const { url, posts } = await gorush(t);
  const server = await StatusPeer.start(t, { number: number + 1, name: `server-${number}`, extra: [`--gorush=${url}`] });
  const world = await scene(t, { number, hub: server, status: '{ push: true }' });
  await pair(world);
  const register = async () => {
    await world.user.command('push_register', { to: server.chat_key, text: 'token-of-the-phone', on: contactsOnly });
    await world.user.child.until('is registered', async () => (await world.user.command('push_registered')).registered, 60_000);
  };
  return { ...world, server, posts, register };
}

function checkPost(post, { user, self }) {
  assert.equal(post.notifications.length, 1);
  const [{ tokens, platform, message, data }] = post.notifications;
  assert.deepEqual(tokens, ['token-of-the-phone']);
  assert.equal(platform, 2);
  assert.equal(message, 'You have a new message');
  // Nothing of the alert: who is written to, and in whose chat, as hashes.
  assert.deepEqual(data, { encryptedMessage: '0x', chatId: shake(self.pubkey), publicKey: shake(Buffer.from(user.compressed, 'hex')) });
}

describe('status-go: push', { concurrency: 2, timeout: 400_000 }, () => {
  test('status-go: an alert reaches gorush by what the contact code told, and the server reports it', { timeout: 200_000 }, async (t) => {
    const world = await pushScene(t, { number: 70 });
    const { user, daemon, self, target, posts, register } = world;
    await register();
    await daemon.child.until('has read the contact code', async () => (await daemon.metric('noroshi_status_received_total{result="contact_code"}')) >= 1);
    target.value = 9;
    await notified(user, self, 'FIRING TooHigh');
    await daemon.child.until('gorush is asked', () => posts.length > 0, 90_000);
    checkPost(posts[0], world);
    await counted(daemon, 'accepted');
  });

  test('status-go: a phone that is off, for contacts only, after a restart: servers are asked who knows it', { timeout: 250_000 }, async (t) => {
    const world = await pushScene(t, { number: 72, contactsOnly: true });
    const { user, daemon, target, posts, register } = world;
    await register();
    await user.stop();
    await daemon.stop();
    await daemon.run();
    target.value = 9;
    await reaches(daemon, /^FIRING/, 'handed_over');
    await counted(daemon, 'queried');
    await daemon.child.until('gorush is asked', () => posts.length > 0, 90_000);
    checkPost(posts[0], world);
    await counted(daemon, 'accepted');
    // Waking is no delivery.
    await reaches(daemon, /^FIRING/, 'handed_over', 1_000);
  });
});
