// test/integration/identity.test.mjs - the identity under a passphrase, from a credential, as words on paper; nothing secret leaks.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { config, Daemon, identity, Listener, noroshi, program } from '../peers/lib/noroshi.mjs';
import { Child, scratch } from '../peers/lib/process.mjs';

const passphrase = 'a fire on the third hill';
const secretFile = (folder, name, text = `${passphrase}\n`, mode = 0o600) => {
  const file = join(folder, name);
  writeFileSync(file, text, { mode });
  return file;
};
const keyFile = (data) => readFileSync(join(data, 'identity.key'), 'utf8');
const idOf = (data, args = [], options = {}) => {
  const { status, stdout, stderr } = noroshi(['id', '--json', '--data', data, ...args], options);
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
};

/** A data folder whose key is under the passphrase. */
function protectedFolder(t) {
  const folder = scratch(t);
  const data = join(folder, 'data');
  const { id } = idOf(data);
  const plain = keyFile(data).trim();
  const file = secretFile(folder, 'passphrase');
  const { status, stderr } = noroshi(['id', 'protect', '--data', data, '--passphrase-file', file]);
  assert.equal(status, 0, stderr);
  return { folder, data, id, plain, file };
}

/** The program at a terminal that shows what is typed: answers each prompt with a text. Gives {status, shown}. */
function atTerminal(args, answers) {
  const line = [program, ...args].map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['--quiet', '--return', '--echo', 'always', '--command', line, '/dev/null']);
  const timer = setTimeout(() => child.kill('SIGKILL'), 60_000);
  const waiting = [...answers];
  let shown = '';
  let from = 0;
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    shown += chunk;
    const at = waiting.length ? shown.indexOf(waiting[0][0], from) : -1;
    if (at < 0) return;
    from = at + waiting[0][0].length;
    child.stdin.write(waiting.shift()[1]);
  });
  return new Promise((done) => child.on('close', (status) => {
    clearTimeout(timer);
    done({ status, shown, unasked: waiting.length });
  }));
}

test('A key under a passphrase: not readable as such, opened by the file, refused without or with another', async (t) => {
  const { folder, data, id, plain, file } = protectedFolder(t);
  const sealed = keyFile(data);
  assert.match(sealed, /^noroshi sealed key 1\nargon2id passes=3 bytes=268435456 /);
  assert.ok(!sealed.includes(plain));
  assert.equal(statSync(join(data, 'identity.key')).mode & 0o777, 0o600);
  assert.deepEqual([idOf(data, ['--passphrase-file', file]).id, idOf(data, ['--passphrase-file', file]).protected], [id, true]);

  const nobody = noroshi(['id', '--data', data]);
  assert.equal(nobody.status, 1);
  assert.match(nobody.stderr, /identity\.key: protected by a passphrase.*--passphrase-file/);
  const wrong = noroshi(['id', '--data', data, '--passphrase-file', secretFile(folder, 'wrong', 'a fire on the first hill')]);
  assert.equal(wrong.status, 1);
  assert.match(wrong.stderr, /identity\.key: this passphrase does not open it/);
  assert.ok(!wrong.stderr.includes('hill'));
  const open = noroshi(['id', '--data', data, '--passphrase-file', secretFile(folder, 'open', passphrase, 0o644)]);
  assert.equal(open.status, 1);
  assert.match(open.stderr, /can be read by others \(mode 644\)/);
  assert.equal(keyFile(data), sealed, 'nothing of this has touched the file');
});

test('The passphrase is changed and taken off again; the identity stays', async (t) => {
  const { folder, data, id, plain, file } = protectedFolder(t);
  const other = secretFile(folder, 'other', 'quite another passphrase');
  const changed = noroshi(['id', 'protect', '--data', data, '--passphrase-file', file, '--new-passphrase-file', other]);
  assert.equal(changed.status, 0, changed.stderr);
  assert.equal(noroshi(['id', '--data', data, '--passphrase-file', file]).status, 1);
  assert.equal(idOf(data, ['--passphrase-file', other]).id, id);
  const short = noroshi(['id', 'protect', '--data', data, '--passphrase-file', other, '--new-passphrase-file', secretFile(folder, 'short', 'short')]);
  assert.equal(short.status, 1);
  assert.match(short.stderr, /at least 8 characters/);
  const removed = noroshi(['id', 'protect', '--remove', '--data', data, '--passphrase-file', other]);
  assert.equal(removed.status, 0, removed.stderr);
  assert.equal(keyFile(data).trim(), plain);
});

test('Run and listen with --passphrase-file: a message arrives, and no secret is in logs, arguments or other files', { timeout: 90_000 }, async (t) => {
  const owner = protectedFolder(t);
  const sender = protectedFolder(t);
  const daemon = await Daemon.start(t, config({ to: owner.id, listen: ['/ip4/127.0.0.1/tcp/0'] }),
    { folder: sender.folder, args: ['--passphrase-file', sender.file] });
  const address = await daemon.address();
  const listener = new Listener(t, owner.data, [address], ['--passphrase-file', owner.file]);
  const told = await listener.waitFor('the announcement', (m) => m.status === 'event', 60_000);
  assert.deepEqual([told.from, told.to], [sender.id, owner.id]);
  for (const [child, { plain }] of [[daemon.child, sender], [listener.child, owner]]) {
    const seen = child.log() + child.lines.join('\n') + readFileSync(`/proc/${child.pid}/cmdline`, 'utf8');
    assert.ok(!seen.includes(plain) && !seen.includes(passphrase));
    assert.match(readFileSync(`/proc/${child.pid}/limits`, 'utf8'), /^Max core file size +0 +0 /m);
    assert.equal(statSync(`/proc/${child.pid}/mem`).uid, 0);
  }
  await daemon.stop();
  const files = readdirSync(sender.data, { recursive: true }).filter((name) => statSync(join(sender.data, name)).isFile());
  for (const file of files) {
    const content = readFileSync(join(sender.data, file));
    assert.ok(!content.includes(sender.plain) && !content.includes(Buffer.from(sender.plain, 'hex')) && !content.includes(passphrase), file);
  }
});

test('A daemon that is given a passphrase makes its first key under it, and says when a key is plain', { timeout: 60_000 }, async (t) => {
  const folder = scratch(t);
  const credentials = join(folder, 'credentials');
  mkdirSync(credentials, { mode: 0o700 });
  secretFile(credentials, 'noroshi-passphrase', passphrase, 0o400);
  const env = { CREDENTIALS_DIRECTORY: credentials };
  const run = async (data) => {
    const child = new Child(t, program, ['run', '--data', data], { name: 'noroshi', env });
    await child.until('watches', () => child.lines.some((line) => /noroshi watches/.test(line)));
    return child;
  };
  const first = await run(join(folder, 'new'));
  await first.stop();
  assert.match(keyFile(join(folder, 'new')), /^noroshi sealed key 1\n/);
  assert.ok(!first.log().includes('identity_not_protected'));
  identity(join(folder, 'plain'));
  const second = await run(join(folder, 'plain'));
  assert.match(second.log(), /event=identity_not_protected .*noroshi id protect/);
});

test('The credential noroshi-identity is the identity, without a file and before one', async (t) => {
  const folder = scratch(t);
  const data = join(folder, 'data');
  const env = { ...process.env, CREDENTIALS_DIRECTORY: folder };
  const { id } = idOf(data);
  secretFile(folder, 'noroshi-identity', `${'7f'.repeat(32)}\n`, 0o440);
  const given = idOf(data, [], { env });
  assert.equal(given.key_file, join(folder, 'noroshi-identity'));
  assert.notEqual(given.id, id);
  assert.equal(idOf(join(folder, 'empty'), [], { env }).id, given.id);
  assert.ok(!existsSync(join(folder, 'empty', 'identity.key')));
  assert.equal(idOf(data).id, id);
});

test('Words on paper: backup and restore in another folder give the same identity', async (t) => {
  const { data, id, file } = protectedFolder(t);
  const args = ['id', 'backup', '--data', data, '--passphrase-file', file];
  const careful = noroshi(args);
  assert.equal(careful.status, 1);
  assert.deepEqual([careful.stdout, /no terminal.*--force/.test(careful.stderr)], ['', true]);
  const { status, stdout, stderr } = noroshi([...args, '--force']);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^([a-z]+ ){3}[a-z]+\n(([a-z]+ ){3}[a-z]+\n){5}$/);
  assert.match(stderr, /Whoever has these 24 words is this identity/);
  const words = stdout.split(/\s+/).filter(Boolean);
  assert.equal(JSON.parse(noroshi([...args, '--force', '--json']).stdout).words, words.join(' '));

  const other = join(scratch(t), 'data');
  const restored = noroshi(['id', 'restore', '--json', '--data', other], { input: stdout.toUpperCase() });
  assert.equal(restored.status, 0, restored.stderr);
  assert.equal(JSON.parse(restored.stdout).id, id);
  assert.equal(idOf(other).id, id);
  assert.equal(statSync(join(other, 'identity.key')).mode & 0o777, 0o600);
});

test('Restore: the words of BIP-39, told apart from wrong ones, over an identity only when forced, which is kept', async (t) => {
  const data = join(scratch(t), 'data');
  const restore = (input, args = []) => noroshi(['id', 'restore', '--data', data, ...args], { input });
  const fault = (input, args) => {
    const { status, stdout, stderr } = restore(input, args);
    assert.deepEqual([status, stdout], [1, '']);
    return stderr;
  };
  const legal = 'legal winner thank year wave sausage worth useful '.repeat(3).trim().replace(/useful$/, 'title');
  assert.match(fault(legal.replace('thank', 'thnk')), /word 3 is not in the list/);
  assert.doesNotMatch(fault(legal.replace('thank', 'thnk')), /thnk|winner/);
  assert.match(fault(legal.replace('legal winner', 'winner legal')), /checksum does not fit/);
  assert.match(fault('legal winner thank'), /expected 24 words, got 3/);
  assert.match(fault('legal '.repeat(500)), /more than 1024 bytes/);
  assert.ok(!existsSync(join(data, 'identity.key')));

  assert.equal(restore(legal).status, 0);
  assert.equal(keyFile(data).trim(), '7f'.repeat(32));
  assert.match(fault('zoo '.repeat(23) + 'vote'), /identity\.key is there already.*--force/);
  // Above the order of the curve: words, but no key.
  assert.notEqual(fault('zoo '.repeat(23) + 'vote', ['--force']), '');
  assert.deepEqual([keyFile(data).trim(), existsSync(join(data, 'identity.key.old'))], ['7f'.repeat(32), false]);
  const letter = 'letter advice cage absurd amount doctor acoustic avoid '.repeat(3).trim().replace(/avoid$/, 'bless');
  assert.equal(restore(letter, ['--force']).status, 0);
  assert.equal(keyFile(data).trim(), '80'.repeat(32));
  assert.equal(readFileSync(join(data, 'identity.key.old'), 'utf8').trim(), '7f'.repeat(32));
  assert.match(fault(legal, ['--force']), /identity\.key\.old is there already/);
  assert.equal(keyFile(data).trim(), '80'.repeat(32));
});

test('At a terminal: what is typed is not shown, a slip between two passphrases changes nothing, words are shown', { timeout: 120_000 }, async (t) => {
  const data = join(scratch(t), 'data');
  const { id } = idOf(data);
  const plain = keyFile(data);
  const protect = (first, second) => atTerminal(['id', 'protect', '--data', data], [['New passphrase: ', first], ['The same again: ', second]]);
  const slip = await protect(`${passphrase}\r`, `${passphrase}!\r`);
  assert.deepEqual([slip.status, slip.unasked, keyFile(data)], [1, 0, plain], slip.shown);
  assert.match(slip.shown, /the two passphrases differ/);
  // With a letter too many, taken back.
  const done = await protect(`${passphrase}x\x7f\r`, `${passphrase}\r`);
  assert.deepEqual([done.status, done.unasked], [0, 0], done.shown);
  const opened = (args) => atTerminal(['id', ...args, '--data', data], [['Passphrase of the identity: ', `${passphrase}\r`]]);
  const shown = await opened(['--no-qr']);
  assert.ok(shown.shown.includes(id), shown.shown);
  const backup = await opened(['backup']);
  assert.equal(backup.status, 0, backup.shown);
  for (const each of [slip, done, shown, backup]) assert.ok(!each.shown.includes('hill'), each.shown);

  const lines = backup.shown.match(/^(?:[a-z]+ ){3}[a-z]+\r?$/gm).map((line) => line.trim());
  assert.equal(lines.length, 6, backup.shown);
  const other = join(scratch(t), 'data');
  const restored = await atTerminal(['id', 'restore', '--data', other], lines.map((line, i) => [`${4 * i} words> `, `${line}\r`]));
  assert.deepEqual([restored.status, restored.unasked], [0, 0], restored.shown);
  for (const line of lines) assert.ok(!restored.shown.includes(line), 'the words are not shown');
  assert.equal(idOf(other).id, id);
  const interrupted = await atTerminal(['id', '--data', data], [['Passphrase of the identity: ', 'half\x03']]);
  assert.equal(interrupted.status, 1);
  assert.match(interrupted.shown, /nothing was entered/);
});
