// test/peers/lib/process.mjs - child processes of a test: output kept in a file, waits with a deadline, always ended.
import { spawn } from 'node:child_process';
import { createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const running = new Set();
process.on('exit', () => running.forEach((child) => child.signal('SIGKILL')));

/** A folder that goes away with the test. */
export function scratch(t, name = 'noroshi-test-') {
  const folder = mkdtempSync(join(tmpdir(), name));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** Calls `check` until it gives something true; its last error or answer is in the failure's text. */
export async function until(what, check, ms = 30_000) {
  const deadline = Date.now() + ms;
  let last;
  while (Date.now() < deadline) {
    try {
      last = await check();
      if (last) return last;
    } catch (error) {
      last = error.message;
    }
    await sleep(25);
  }
  throw new Error(`${what}: not within ${ms} ms; last seen: ${JSON.stringify(last)}`);
}

let nextPort = 10_000 + Math.floor(Math.random() * 20_000);

/** A port of loopback that nobody listens on and that is given out once: below those that the kernel gives to connections,
 *  one of which might take it before the child that it is for. */
export async function freePort() {
  for (;;) {
    const port = nextPort++;
    const free = await new Promise((done) => {
      const server = createServer().on('error', () => done(false)).listen(port, '127.0.0.1', () => server.close(() => done(true)));
    });
    if (free) return port;
  }
}

/** One child process. `lines` are its standard output, line by line; standard error goes to `logFile`. With `stdin: 'pipe'`
 *  it can be written to through `process.stdin`. */
export class Child {
  constructor(t, command, args, { cwd, env = {}, name = 'child', folder = scratch(t), stdin = 'ignore' } = {}) {
    this.name = name;
    this.lines = [];
    this.logFile = join(folder, `${name}-${Date.now()}.log`);
    writeFileSync(this.logFile, '');
    const log = createWriteStream(this.logFile, { flags: 'a' });
    this.process = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: [stdin, 'pipe', 'pipe'] });
    this.ended = new Promise((done) => {
      this.process.on('error', (error) => done({ code: 127, error: error.message }));
      this.process.on('close', (code, signal) => done({ code, signal }));
    }).then((end) => {
      running.delete(this);
      this.end = end;
      return end;
    });
    running.add(this);
    this.process.stderr.pipe(log);
    let rest = '';
    this.process.stdout.setEncoding('utf8').on('data', (chunk) => {
      log.write(chunk);
      const parts = (rest + chunk).split('\n');
      rest = parts.pop();
      this.lines.push(...parts);
    });
    t.after(() => this.kill());
  }

  get pid() { return this.process.pid; }
  log() { return readFileSync(this.logFile, 'utf8'); }
  signal(name) { if (!this.end) this.process.kill(name); }

  /** Ends it politely; gives {code, signal}. */
  async stop(ms = 10_000) {
    this.signal('SIGTERM');
    const timer = setTimeout(() => this.signal('SIGKILL'), ms);
    const end = await this.ended;
    clearTimeout(timer);
    return end;
  }

  /** Ends it at once, as a power cut would. */
  async kill() {
    this.signal('SIGKILL');
    return this.ended;
  }

  /** Waits for what the process does, be it the last thing before its end; the failure shows the end of its log. */
  async until(what, check, ms) {
    return until(`${this.name}: ${what}`, async () => {
      const { end } = this;  // of before the check: what it did last counts
      const answer = await Promise.resolve().then(check).catch((error) => { if (!end) throw error; });
      if (!answer && end) throw new Error(`has ended with ${JSON.stringify(end)}:\n${this.log().slice(-2000)}`);
      return answer;
    }, ms).catch((error) => {
      throw new Error(`${error.message}\n--- end of ${this.name}'s log\n${this.log().slice(-3000)}`);
    });
  }
}

/** Resident memory of a process in bytes, from the kernel. */
export function residentBytes(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(status.match(/^VmRSS:\s+(\d+) kB$/m)[1]) * 1024;
}
