// A real server of its own for the tests: free port, empty store, the site as built.
//
// What should be here: start, stop, signing in, sending commands. What should not: what pages show.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const TARGET = join(import.meta.dirname, '../../target');
const SERVER = process.env.GRIDHALL_BIN ?? join(TARGET, 'debug/gridhall');
export const SIMULATOR = process.env.GRIDHALL_SIM ?? join(TARGET, 'debug/sim');
const SITE = process.env.GRIDHALL_SITE ?? join(TARGET, 'site');
const ROOT = join(import.meta.dirname, '../..');

/** Streets, communities and an open door for replayed tracks, as in the demonstration. */
const SETTINGS = join(ROOT, 'demo/config.toml');

/** A debug build on a busy machine starts within this. */
const START_WAIT_MS = 60_000;
const END_WAIT_MS = 10_000;

/** A program we started, in a process group of its own. */
export class Program {
  private readonly child: ChildProcess;
  private said = '';
  private answered = '';

  constructor(readonly name: string, file: string, words: string[], env: Record<string, string> = {}) {
    this.child = spawn(file, words, { cwd: ROOT, detached: true, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    const keep = (bytes: Buffer) => (this.said = (this.said + String(bytes)).slice(-20_000));
    this.child.stdout?.on('data', keep);
    this.child.stdout?.on('data', (bytes: Buffer) => (this.answered = (this.answered + String(bytes)).slice(-20_000)));
    this.child.stderr?.on('data', keep);
    this.child.on('error', (error) => keep(Buffer.from(String(error))));
  }

  /** What it answered on standard output, without its log. */
  get answer(): string {
    return this.answered;
  }

  /** What it printed last, for messages. */
  get output(): string {
    return this.said;
  }

  get has_ended(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null || this.child.pid === undefined;
  }

  /** Sends it and what it started a signal that does not end it. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    const { pid } = this.child;
    if (pid !== undefined && !this.has_ended) process.kill(-pid, signal);
  }

  /** Ends it and what it started; `SIGKILL` for a power cut. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const { pid } = this.child;
    if (pid === undefined || this.has_ended) return;
    const ended = new Promise<void>((resolve) => this.child.once('exit', () => resolve()));
    process.kill(-pid, signal);
    const killer = setTimeout(() => process.kill(-pid, 'SIGKILL'), END_WAIT_MS);
    await ended;
    clearTimeout(killer);
  }
}

/** Asks again and again until there is an answer. */
export async function until<T>(what: string, program: Program, ask: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const started = Date.now();
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (program.has_ended) throw new Error(`${program.name} ended before ${what}:\n${program.output}`);
    if (Date.now() - started > START_WAIT_MS) throw new Error(`no ${what} within ${START_WAIT_MS} ms:\n${program.output}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export interface HallOptions {
  /** Start simulated cameras with these words for `sim cameras`, and give the server their list. */
  cameras?: string[];
  /** A list of cameras somebody else has started, as TOML. */
  list?: string;
  /** Settings as environment, such as `GRIDHALL__ACCESS__SESSION_HOURS`. */
  settings?: Record<string, string>;
  /** TOML laid over the demonstration's policy. */
  policy?: string;
  /** Words after `gridhall serve`, such as `--demonstration`. */
  words?: string[];
}

/** One command of `domain::command`, as JSON. */
export type Command = Record<string, unknown>;

/** A server with a store of its own, and the cameras it knows. */
export class Hall {
  private readonly folder = mkdtempSync(join(tmpdir(), 'gridhall-'));
  private programs: Program[] = [];
  private server_program: Program | undefined;
  private settings: Record<string, string> = {};
  private config = SETTINGS;
  private words: string[] = [];
  address = '';
  /** Signs in once. */
  sign_in = '';
  /** A machine's token, for commands. */
  token = '';

  static async start(options: HallOptions = {}): Promise<Hall> {
    const hall = new Hall();
    try {
      hall.settings = { GRIDHALL__STORE__DIR: join(hall.folder, 'data'), GRIDHALL__SERVER__SITE: SITE, ...options.settings };
      hall.words = options.words ?? [];
      if (options.policy !== undefined) hall.lay_over(options.policy);
      if (options.cameras) await hall.start_cameras(options.cameras);
      if (options.list) hall.settings.GRIDHALL__CAMERAS__FILE = hall.write('cameras.toml', options.list);
      await hall.start_server('127.0.0.1:0');
      hall.token = await hall.make_token();
    } catch (error) {
      await hall.stop();
      throw error;
    }
    return hall;
  }

  /** The demonstration's settings with one more overlay. */
  private lay_over(policy: string): void {
    const overlay = this.write('policy.toml', policy);
    const text = readFileSync(SETTINGS, 'utf8').replace(/overlays = \[([^\]]*)\]/, (_, held) => `overlays = [${held}, "${overlay}"]`);
    if (!text.includes(overlay)) throw new Error(`${SETTINGS} names no overlays`);
    this.config = this.write('config.toml', text);
  }

  private async start_cameras(words: string[]): Promise<void> {
    const list = join(this.folder, 'cameras.toml');
    const cameras = new Program('sim cameras', SIMULATOR, ['cameras', '--port', '0', '--registry', list, ...words]);
    this.programs.push(cameras);
    await until('list of cameras', cameras, () => (existsSync(list) && readFileSync(list, 'utf8') !== '' ? true : undefined));
    this.settings.GRIDHALL__CAMERAS__FILE = list;
  }

  private async start_server(listen: string): Promise<void> {
    const note = join(this.folder, 'ready.json');
    rmSync(note, { force: true });
    const server = new Program('gridhall serve', SERVER, ['--config', this.config, 'serve', '--ready-file', note, ...this.words], { ...this.settings, GRIDHALL__SERVER__LISTEN: listen });
    this.programs.push(server);
    this.server_program = server;
    const ready = await until('ready file', server, () => {
      try {
        return JSON.parse(readFileSync(note, 'utf8')) as { address: string; sign_in: string };
      } catch {
        return undefined;
      }
    });
    this.address = ready.address.replace(/\/$/, '');
    this.sign_in = ready.sign_in;
    await until('readiness', server, async () => {
      const answer = await fetch(`${this.address}/readyz`).catch(() => undefined);
      return answer?.ok ? true : undefined;
    });
  }

  private async make_token(): Promise<string> {
    const make = new Program('gridhall token', SERVER, ['--config', this.config, 'token', 'add', 'tests', '--role', 'machine', '--may', 'all', '--replace'], this.settings);
    return until('token', make, () => {
      if (!make.has_ended) return undefined;
      const secret = make.answer.trim();
      return secret === '' ? undefined : secret;
    });
  }

  /** Takes the server away, as a power cut does (`SIGKILL`) or an operator (`SIGTERM`). */
  async stop_server(signal: NodeJS.Signals): Promise<void> {
    await this.server_program?.stop(signal);
  }

  /** Lets it hang: connections stay open and nothing comes. `thaw_server` lets it go on. */
  freeze_server(): void {
    this.server_program?.signal('SIGSTOP');
  }

  thaw_server(): void {
    this.server_program?.signal('SIGCONT');
  }

  /** Brings it back on the same port and store. */
  async restart_server(): Promise<void> {
    await this.start_server(new URL(this.address).host);
  }

  /** Gives somebody an account; `options` as on the command line, such as `--area`. */
  add_account(name: string, role: string, password: string, options: string[] = []): void {
    const words = ['--config', SETTINGS, 'account', 'add', name, '--role', role, ...options];
    const made = spawnSync(SERVER, words, { cwd: ROOT, env: { ...process.env, ...this.settings }, input: `${password}\n` });
    if (made.status !== 0) throw new Error(`no account for ${name}: ${String(made.stderr)}`);
  }

  /** Sends commands as a machine; each answer is `{taken}` or `{refused}`. */
  async commands(commands: Command[]): Promise<unknown[]> {
    const rows = commands.map((command) => ({ key: randomUUID(), command }));
    const answer = await this.post('/api/v1/commands', { commands: rows });
    return (answer as { results: unknown[] }).results;
  }

  async post(path: string, body: unknown): Promise<unknown> {
    return this.ask(path, { method: 'POST', body: JSON.stringify(body) });
  }

  async get(path: string): Promise<unknown> {
    return this.ask(path, {});
  }

  private async ask(path: string, init: RequestInit): Promise<unknown> {
    const headers = { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' };
    const answer = await fetch(`${this.address}${path}`, { ...init, headers });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${text}`);
    return JSON.parse(text);
  }

  /** Lets the simulated city live against this server. */
  start_city(words: string[]): Program {
    const city = new Program('sim city', SIMULATOR, ['city', '--server', this.address, ...words], { GRIDHALL_TOKEN: this.token });
    this.programs.push(city);
    return city;
  }

  /** Replays recorded walks as phones on the street. */
  start_tracks(words: string[]): Program {
    const tracks = new Program('sim tracks', SIMULATOR, ['tracks', '--server', this.address, ...words]);
    this.programs.push(tracks);
    return tracks;
  }

  /** A file in the hall's own folder, for imports. */
  write(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    return path;
  }

  async stop(): Promise<void> {
    for (const program of this.programs.reverse()) await program.stop();
    this.programs = [];
    rmSync(this.folder, { recursive: true, force: true });
  }
}
