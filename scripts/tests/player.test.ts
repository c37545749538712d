// What the player's scripts work out by themselves: engines that fail, the server's clock, facts that are news.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineState } from '../player-engine.ts';
import { ServerClock } from '../video-clock.ts';
import { Delays, Gathered } from '../video-gather.ts';
import { parseConfiguration, parseMedia, retryDelay } from '../video-link.ts';
import { fills, intersect, place } from '../video-painter.ts';
import type { Facts, LinkStatus, Says } from '../video-types.ts';

const NOW = 1_800_000_000_000;

test('there is never more than one engine, and one that fails is made again after a wait', () => {
  const made: boolean[] = [];
  const engines = new EngineState((simple) => made.push(simple));
  assert.equal(engines.start(), true);
  assert.equal(engines.start(), false, 'a tile that comes meanwhile makes no second one');
  engines.ready();
  assert.equal(engines.name, 'running');
  const wait = engines.fail(NOW);
  assert.equal(engines.engine, null);
  assert.equal(engines.retryMs, NOW + wait);
  assert.equal(engines.start(), false, 'nor one that comes in the gap');
  assert.equal(engines.again(), true);
  assert.equal(engines.again(), false);
  assert.deepEqual(made, [false, false]);
});

test('a worker that goes on failing is waited for longer, and after three times done without', () => {
  const made: boolean[] = [];
  const engines = new EngineState((simple) => made.push(simple));
  engines.start();
  const waits = [0, 1, 2].map((round) => {
    const wait = engines.fail(NOW + round * 1000);
    engines.again();
    return wait;
  });
  assert.deepEqual(waits, [250, 500, 1000]);
  assert.deepEqual(made, [false, false, false, true]);
});

test('failures a day apart do not count together', () => {
  const made: boolean[] = [];
  const engines = new EngineState((simple) => made.push(simple));
  engines.start();
  for (let day = 0; day < 30; day += 1) {
    assert.equal(engines.fail(NOW + day * 86_400_000), 250);
    engines.again();
  }
  assert.equal(made.includes(true), false);
});

test('a clock that gains or loses a second a day is followed for weeks, both ways', () => {
  for (const drift of [-12e-6, 12e-6, 200e-6]) {
    const clock = new ServerClock();
    clock.set(0, 0);
    for (let second = 1; second < 14 * 86_400; second += 7) {
      const local = second * 1e6;
      const server = local * (1 + drift);
      // What has come was under way for up to a second.
      clock.heard(server - (second % 11) * 90_000, local);
      if (second > 600) assert.ok(Math.abs(clock.offsetUs - (server - local)) < 100_000, `${drift} after ${second} s`);
    }
  }
});

test('the time of another world is not the clock of this server', () => {
  const clock = new ServerClock();
  clock.set(5e6, 0);
  clock.heard(86_400e6, 1e6);
  clock.heard(-86_400e6, 1e6);
  assert.equal(clock.offsetUs, 5e6);
  clock.set(0, 0);
  assert.equal(clock.offsetUs, 0, 'its own word replaces what was known');
});

test('a picture cannot come before it was taken in, and a server set back is believed after a minute', () => {
  const clock = new ServerClock();
  clock.set(0, 0);
  clock.stamped(31e6, 1e6);
  assert.equal(clock.offsetUs, 30e6);
  for (let second = 2; second < 90; second += 1) clock.stamped(second * 1e6 - 10e6, second * 1e6);
  assert.equal(clock.offsetUs, -10e6);
});

const UP: LinkStatus = { up: true, downSinceMs: 0, retryAtMs: null, reconnects: 0 };
const LIVE: Says = { tile: 1, state: 'live', since_ms: NOW, retry_at_ms: null, cause: null, reason: null };

/** A minute of a camera of 25 pictures a second, a look four times a second; what was passed on. */
function minute(delayOf: (picture: number) => number): Facts[] {
  const gathered = new Gathered('A', NOW);
  gathered.says = LIVE;
  const heard: Facts[] = [];
  for (let picture = 0; picture < 1500; picture += 1) {
    const at = NOW + picture * 40;
    gathered.painted(at - delayOf(picture), false, delayOf(picture));
    const facts = picture % 6 === 0 ? gathered.news(UP, at, at) : null;
    if (facts !== null) heard.push(facts);
  }
  return heard;
}

test('a tile that plays as it should is no news', () => {
  assert.equal(minute(() => 120).length, 1);
  assert.equal(minute((picture) => 110 + (picture % 5) * 10).length, 1);
  assert.ok(minute((picture) => 100 + (picture % 7) * 100).length <= 31, 'a delay that jumps is news every two seconds');
});

test('a picture that stands is news once, and again when it has been replaced by one that is late as well', () => {
  const gathered = new Gathered('A', NOW);
  gathered.says = LIVE;
  gathered.painted(NOW, false, 100);
  const at = (ms: number): Facts | null => gathered.news(UP, NOW + ms, NOW + ms);
  assert.equal(at(100)?.standing, false);
  assert.equal(at(1400), null);
  assert.equal(at(1600)?.standing, true);
  assert.equal(at(9000), null);
  gathered.painted(NOW + 7000, false, 2000);
  assert.equal(at(9100)?.picture_ms, NOW + 7000);
  gathered.obey({ show: true, standing_after_ms: 1000 });
  gathered.painted(NOW + 9000, false, 100);
  assert.equal(at(9200)?.standing, false);
  gathered.paused = true;
  assert.equal(at(60_000), null, 'a paused tile has nothing to play');
});

test('a tile that may not show has nothing painted until it may again', () => {
  const gathered = new Gathered('A', NOW);
  gathered.painted(NOW, false, null);
  assert.equal(gathered.news(UP, NOW, NOW)?.painted, true);
  gathered.obey({ show: false, standing_after_ms: 1500 });
  assert.equal(gathered.news(UP, NOW, NOW)?.painted, false);
  gathered.painted(NOW + 40, false, null);
  assert.equal(gathered.news(UP, NOW, NOW), null);
});

test("times of the page's clock are told on the server's", () => {
  const gathered = new Gathered('A', NOW);
  const down: LinkStatus = { up: false, downSinceMs: NOW - 7_200_000, retryAtMs: NOW - 7_190_000, reconnects: 3 };
  const facts = gathered.news(down, NOW - 7_195_000, NOW + 5_000);
  assert.deepEqual([facts?.down_since_ms, facts?.redial_ms], [NOW, NOW + 10_000]);
});

test('percentiles are of the last few hundred pictures', () => {
  const delays = new Delays();
  assert.deepEqual(delays.percentiles(), { p50: null, p95: null });
  for (let ms = 1; ms <= 1000; ms += 1) delays.add(ms);
  const { p50, p95 } = delays.percentiles();
  assert.ok(p50 !== null && p95 !== null && p50 > 744 && p50 < p95 && p95 <= 1000);
});

test('what is not of the protocol is no picture', () => {
  assert.equal(parseMedia(new ArrayBuffer(23)), null);
  assert.equal(parseMedia(new ArrayBuffer(24)), null);
  const message = new Uint8Array(26);
  message.set([2, 7, 0, 9]);
  message[23] = 5;
  const media = parseMedia(message.buffer);
  assert.deepEqual([media?.tile, media?.seq, media?.key, media?.catchUp, media?.discontinuity], [7, 9, true, false, true]);
  assert.equal(media?.payload.length, 2);
  assert.equal(parseConfiguration(new Uint8Array([200, 1])), null);
});

test('the server is dialled again later and later, never at the same moment by all', () => {
  for (let attempt = 0; attempt < 12; attempt += 1) {
    const [soonest, latest] = [retryDelay(attempt, () => 0), retryDelay(attempt, () => 1)];
    assert.ok(soonest >= 250 && latest <= 5000 && (attempt === 0 || soonest < latest));
  }
});

test('a picture is cropped by a quarter at most, else shown whole in the middle', () => {
  const rect = { tile: 1, x: 10, y: 0, w: 160, h: 90, clip: { x: 10, y: 0, w: 160, h: 90 }, aspect: 16 / 9, whole: false };
  assert.equal(fills(4 / 3, 16 / 9), true);
  const cropped = place(640, 480, rect);
  assert.deepEqual(cropped.target, { x: 10, y: 0, w: 160, h: 90 });
  assert.deepEqual(cropped.source, { x: 0, y: 60, w: 640, h: 360 });
  const whole = place(640, 480, { ...rect, whole: true });
  assert.deepEqual(whole, { source: { x: 0, y: 0, w: 640, h: 480 }, target: { x: 30, y: 0, w: 120, h: 90 } });
  assert.equal(fills(9 / 16, 16 / 9), false);
  assert.equal(intersect(rect, { x: 170, y: 0, w: 10, h: 10 }), null);
  assert.deepEqual(intersect(rect, { x: 0, y: 80, w: 20, h: 20 }), { x: 10, y: 80, w: 10, h: 10 });
});
