// Cameras for tests of video: simulated ones with their control port, and another maker's (GStreamer's RTSP server), put
// up in groups around spots far apart, so that a case at a spot has exactly its group linked.
//
// What should be here: starting, placing, disturbing. What should not: the server that watches them, and what is expected.
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Spot } from './cases';
import { Program, SIMULATOR, until } from './server';

/** One camera of a group. */
export interface Camera {
  code: string;
  /** Faults from the start, as `sim cameras --fault` takes them. */
  faults?: string[];
  h265?: boolean;
  /** `file`: the n-th of the real videos; `other`: a path of GStreamer's server. Otherwise it is drawn, with a clock. */
  file?: number;
  other?: string;
}

/** Asked of every simulated camera. */
const ACCOUNT = { username: 'viewer', password: 'hunter22' };

/** Spots stand this far apart (2 km) and cameras of a group so near to each other (6 m), nearest first. */
const SPOT_STEP = 0.018;
const CAMERA_STEP = 0.00005;

/** Folder of real videos: `GRIDHALL_DATA`, or `shared/data` beside a checkout; nothing where the product stands alone. */
export function videos(): string | undefined {
  const given = process.env.GRIDHALL_DATA;
  if (given !== undefined) return join(given, 'video');
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    const beside = join(folder, 'shared/data/video');
    if (existsSync(beside)) return beside;
  }
  return undefined;
}

/** A simulator and how it is disturbed. */
class Simulated {
  constructor(
    readonly program: Program,
    readonly origin: string,
    private readonly control: string,
  ) {}

  static async start(folder: string, name: string, cameras: Camera[], words: string[]): Promise<Simulated> {
    const places = join(folder, `${name}.csv`);
    const list = join(folder, `${name}.toml`);
    const drawn = cameras.filter(({ file }) => file === undefined);
    const rows = drawn.map(({ code }) => `${code},${code},25,102,0,360,tests`);
    writeFileSync(places, ['code,name,lat,lon,bearing,view_deg,owner', ...rows, ''].join('\n'));
    const faults = cameras.flatMap(({ code, faults }) => (faults ?? []).flatMap((fault) => ['--fault', `${fault}=${code}`]));
    const account = ['--credentials', `${ACCOUNT.username}:${ACCOUNT.password}`];
    const ports = ['--port', '0', '--control-port', '0'];
    const given = ['cameras', ...ports, '--places', places, '--registry', list, ...account, ...faults, ...words];
    const program = new Program(`sim cameras ${name}`, SIMULATOR, given, { NO_COLOR: '1', RUST_LOG: 'info' });
    const control = await until('control port', program, () => /camera control ready addr=(\S+)/.exec(program.output)?.[1]);
    const origin = /rtsp:\/\/[^/]+/.exec(readFileSync(list, 'utf8'))?.[0] ?? '';
    return new Simulated(program, origin, `http://${control}`);
  }

  async ask(method: 'GET' | 'PUT' | 'POST' | 'DELETE', path: string): Promise<unknown> {
    const answer = await fetch(`${this.control}${path}`, { method });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text}`);
    return text === '' ? null : JSON.parse(text);
  }
}

/** GStreamer's RTSP server. */
class Other {
  private constructor(
    private readonly child: ChildProcess,
    readonly origin: string,
  ) {}

  static async start(): Promise<Other> {
    const script = join(import.meta.dirname, '../../server/tests/it/testdata/gst_rtsp.py');
    // Debian's own interpreter: the GObject bindings are a system package. It serves until its input is closed.
    const child = spawn('/usr/bin/python3', [script], { stdio: ['pipe', 'pipe', 'inherit'] });
    const port = await new Promise<string>((resolve, reject) => {
      child.stdout?.once('data', (bytes: Buffer) => resolve(String(bytes).trim()));
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`GStreamer's server ended with ${code}; cargo xtask test installs what it needs`)));
    });
    return new Other(child, `rtsp://127.0.0.1:${port}`);
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    if (this.child.exitCode !== null || !this.child.kill('SIGKILL')) return;
    await ended;
  }
}

/** All cameras of a file of tests. */
export class Street {
  private readonly folder = mkdtempSync(join(tmpdir(), 'gridhall-street-'));
  private simulated: { h264?: Simulated; h265?: Simulated } = {};
  private other: Other | undefined;
  /** The list for the server, TOML. */
  list = '';

  private constructor(
    private readonly groups: Record<string, Camera[]>,
    private readonly words: string[],
  ) {}

  /** `words` go to `sim cameras` as they are, for all drawn cameras. */
  static async start(groups: Record<string, Camera[]>, words: string[] = []): Promise<Street> {
    const street = new Street(groups, words);
    try {
      await street.put_up();
    } catch (error) {
      await street.stop();
      throw error;
    }
    return street;
  }

  private async put_up(): Promise<void> {
    const all = Object.values(this.groups).flat();
    const drawn = all.filter(({ other }) => other === undefined);
    const [h264, h265] = [drawn.filter((camera) => !camera.h265), drawn.filter((camera) => camera.h265)];
    const folder = videos();
    const files = h264.some(({ file }) => file !== undefined) && folder !== undefined ? ['--video', folder] : [];
    if (h264.length > 0) this.simulated.h264 = await Simulated.start(this.folder, 'h264', h264, [...files, ...this.words]);
    if (h265.length > 0) this.simulated.h265 = await Simulated.start(this.folder, 'h265', h265, ['--h265-every', '1', ...this.words]);
    if (all.some(({ other }) => other !== undefined)) this.other = await Other.start();
    this.list = Object.entries(this.groups)
      .flatMap(([group, cameras]) => cameras.map((camera, i) => this.entry(camera, this.spot(group), i)))
      .join('\n');
  }

  /** Where a case must lie for the group to be linked to it. */
  spot(group: string): Spot {
    return { lat: 25.04, lon: 102.6 + Object.keys(this.groups).indexOf(group) * SPOT_STEP };
  }

  private entry(camera: Camera, spot: Spot, index: number): string {
    const origin = camera.other === undefined ? this.of(camera.code).origin : this.other?.origin;
    const name = camera.file === undefined ? camera.code : `V${String(camera.file).padStart(4, '0')}`;
    const streams =
      camera.other === undefined
        ? [`main = "${origin}/cam/${name}/main"`, `sub = "${origin}/cam/${name}/sub"`]
        : [`main = "${origin}/${camera.other}"`];
    const account = camera.other === undefined ? [`username = "${ACCOUNT.username}"`, `password = "${ACCOUNT.password}"`] : [];
    const place = [`lat = ${(spot.lat + (index + 1) * CAMERA_STEP).toFixed(6)}`, `lon = ${spot.lon.toFixed(6)}`];
    return ['[[camera]]', `code = "${camera.code}"`, `name = "${camera.code}"`, ...place, ...streams, ...account, ''].join('\n');
  }

  /** Address of a simulated camera's stream with its account, for programs that are no server of ours. */
  address(code: string, profile: 'main' | 'sub'): string {
    const { username, password } = ACCOUNT;
    return `${this.of(code).origin.replace('rtsp://', `rtsp://${username}:${password}@`)}/cam/${code}/${profile}`;
  }

  private of(code: string): Simulated {
    const is_h265 = Object.values(this.groups).some((cameras) => cameras.some((camera) => camera.code === code && camera.h265));
    const simulated = is_h265 ? this.simulated.h265 : this.simulated.h264;
    if (simulated === undefined) throw new Error(`no simulator has \`${code}\``);
    return simulated;
  }

  async break(code: string, fault: string): Promise<void> {
    await this.of(code).ask('PUT', `/cameras/${code}/faults/${fault}`);
  }

  async mend(code: string, fault: string): Promise<void> {
    await this.of(code).ask('DELETE', `/cameras/${code}/faults/${fault}`);
  }

  /** Sessions the camera counts now, those of them that play, and how often it has begun to. */
  async sessions(code: string): Promise<{ sessions: number; playing: number; played: number }> {
    return (await this.of(code).ask('GET', `/cameras/${code}`)) as { sessions: number; playing: number; played: number };
  }

  /** The whole site of H.264 cameras loses its power, or gets it back. */
  async power(word: 'off' | 'on'): Promise<void> {
    await this.simulated.h264?.ask('POST', `/power/${word}`);
  }

  async stop(): Promise<void> {
    await this.simulated.h264?.program.stop();
    await this.simulated.h265?.program.stop();
    await this.other?.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
