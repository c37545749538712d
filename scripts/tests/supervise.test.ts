// The rules of the supervisor, by themselves.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  LOOK_EVERY_MS, PART_AFTER_MS, Pulse, RELOADS_MAX, RELOAD_AFTER_MS, SILENCE_MS, WAY_BACK_MS, WINDOW_MS, absentWords, causeOf, clockOf, counted, isOurs,
  isWall, mayRenew, needsNewPage, parsed, reloadAfter, stoppedWords, wayBack,
} from '../supervise.ts';

const NOW = 1_800_000_000_000;

test('a page that stopped for the first time is loaded again soon', () => {
  assert.equal(reloadAfter([], NOW), RELOAD_AFTER_MS);
  assert.equal(reloadAfter([NOW - 60_000, NOW - 30_000], NOW), RELOAD_AFTER_MS);
});

test('a page is never loaded more than three times in ten minutes, whenever it stops', () => {
  let past: number[] = [];
  let now = NOW;
  const loads: number[] = [];
  for (let round = 0; round < 200; round += 1) {
    now += reloadAfter(past, now);
    loads.push(now);
    past = [...counted(past, now), now];
    now += (round * 7919) % 90_000;
  }
  for (const load of loads) {
    const within = loads.filter((other) => other > load - WINDOW_MS && other <= load);
    assert.ok(within.length <= RELOADS_MAX, `${within.length} loads in ten minutes`);
  }
});

test('loads of a clock that was set back do not hold the page for ever', () => {
  const future = [NOW + 1, NOW + 86_400_000, NOW + 86_400_001];
  assert.equal(reloadAfter(future, NOW), RELOAD_AFTER_MS);
});

test('what was kept is read back, and anything else is nothing', () => {
  assert.deepEqual(parsed('1800000000000 1800000000001'), [NOW, NOW + 1]);
  for (const text of [null, '', 'yesterday', '1 two']) assert.deepEqual(parsed(text), []);
});

test('a newer page is taken at its own moment, unless the page was loaded too often already', () => {
  assert.equal(reloadAfter([], NOW, 31_000), 31_000);
  assert.equal(reloadAfter([NOW - 3, NOW - 2, NOW - 1], NOW, 31_000), WINDOW_MS - 3);
});

test('a part that the server has no more, or that the browser keeps as failed, needs a new page; a server that is busy needs time', () => {
  for (const again of [false, true]) {
    assert.ok(needsNewPage(404, again));
    for (const status of [429, 500, 503]) assert.ok(!needsNewPage(status, again), String(status));
  }
  assert.ok(needsNewPage(200, true) && !needsNewPage(200, false), 'the first time it may have been the way there');
});

test('a page is not loaded anew for a part while it is young, nor while somebody writes in it', () => {
  assert.ok(mayRenew(PART_AFTER_MS, false));
  assert.ok(!mayRenew(PART_AFTER_MS - 1, false));
  assert.ok(!mayRenew(10 * PART_AFTER_MS, true));
});

test('a programme is silent after twenty seconds of looks without a beat, and not before', () => {
  const pulse = new Pulse();
  const looks = SILENCE_MS / LOOK_EVERY_MS;
  for (let round = 0; round < 3; round += 1) {
    for (let look = 0; look < looks; look += 1) assert.equal(pulse.look(), false);
    pulse.beat();
  }
  for (let look = 0; look < looks; look += 1) pulse.look();
  assert.equal(pulse.look(), true);
});

test('errors of our scripts are told from those of others', () => {
  const origin = 'https://hall.example';
  for (const ours of ['pkg/wall_bg.wasm:wasm-function[12]', 'js/map.js:3:1', 'start.js:1:2']) {
    assert.ok(isOurs(`RuntimeError: unreachable at ${origin}/${ours}`, origin), ours);
  }
  for (const other of [`${origin}/vendor/maplibre/6.17.0/maplibre-gl.mjs:1`, 'chrome-extension://abc/js/a.js', '<anonymous>:1:1', '']) {
    assert.ok(!isOurs(other, origin), other);
  }
  assert.equal(causeOf('panicked at app/src/live.rs:3:4:\nalready borrowed'), 'panic');
  assert.equal(causeOf('x is null'), 'error');
});

test('the browser of a wall goes back to it from anywhere but a wall and its pairing', () => {
  assert.equal(wayBack('main', '/desk/case/7', WAY_BACK_MS), '/wall/main');
  assert.equal(wayBack('会商 1', '/', WAY_BACK_MS), '/wall/%E4%BC%9A%E5%95%86%201');
  for (const stays of ['/wall/main', '/wall/main/', '/world/7/wall/main', '/pair']) assert.equal(wayBack('main', stays, WAY_BACK_MS), null, stays);
  assert.equal(wayBack('main', '/desk', WAY_BACK_MS - 1), null);
  for (const none of [null, '']) assert.equal(wayBack(none, '/desk', WAY_BACK_MS), null);
  assert.ok(!isWall('/wall') && !isWall('/desk/wall') && !isWall('/firewall/main'));
});

test('the time on the cover is the hall\'s own, wherever the browser believes to be', () => {
  assert.equal(clockOf(Date.UTC(2026, 10, 27, 16, 3, 5, 900), 480), '00:03:05');
  assert.equal(clockOf(Date.UTC(2026, 10, 27, 3, 30), -210), '00:00:00');
});

test('words name the time and how long it takes in both languages', () => {
  const { zh, en } = stoppedWords('14:03:05', RELOAD_AFTER_MS);
  assert.equal(zh, '画面停止于 14:03:05，10 秒后重新载入');
  assert.equal(en, 'This screen stopped at 14:03:05; it loads again in 10 seconds');
  assert.match(stoppedWords('14:03:05', 583_000).zh, /10 分钟后/);
  assert.match(stoppedWords('14:03:05', null).zh, /服务器应答后/);
  assert.match(absentWords(RELOAD_AFTER_MS).zh, /^无法启动，10 秒后重试$/);
  assert.match(absentWords(null).en, /server does not answer/);
});
