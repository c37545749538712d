// Draws inspectors and their trails with WebGL2: one instanced call each, the way between two fixes computed on the card.

import { rgb } from './geo.js';
import { STRIDE, UNIT } from './people.js';

/** Trail segments drawn at most; beyond this many walkers trails say nothing any more. */
const SEGMENTS_MAX = 4000;
/** Numbers per trail segment: tail x, y, head from x, y, head to x, y, from time, to time. */
const SEGMENT = 8;

const COMMON = `#version 300 es
precision highp float;
uniform vec2 u_centre; uniform vec2 u_scale; uniform float u_now;
vec2 clip(vec2 metres) { return (metres - u_centre) * u_scale; }
vec2 between(vec2 a, vec2 b, vec2 times) { return mix(a, b, times.y <= times.x ? 1.0 : clamp((u_now - times.x) / (times.y - times.x), 0.0, 1.0)); }`;

const PERSON_VERTEX = `${COMMON}
layout(location=0) in vec4 a_way; layout(location=1) in vec2 a_times; layout(location=2) in vec3 a_look;
uniform vec2 u_pixel; uniform float u_size; uniform float u_stale;
out vec2 v_at; flat out int v_kind;
void main() {
  vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1) * 2.0 - 1.0;
  float heading = a_look.x;
  v_kind = u_now - a_look.y > u_stale ? 2 : (heading < -5.0 ? 0 : 1);
  float turn = v_kind == 1 ? heading : 0.0;
  // Only the drop needs the long quad.
  float reach = v_kind == 1 ? 1.2 : 0.8;
  v_at = corner * reach;
  vec2 turned = vec2(corner.x * cos(turn) + corner.y * sin(turn), corner.y * cos(turn) - corner.x * sin(turn));
  vec2 centre = clip(between(a_way.xy, a_way.zw, a_times));
  gl_Position = a_look.z < 0.5 ? vec4(2.0, 2.0, 2.0, 1.0) : vec4(centre + turned * reach * u_size * u_pixel, 0.0, 1.0);
}`;

const PERSON_FRAGMENT = `#version 300 es
precision highp float;
in vec2 v_at; flat in int v_kind; out vec4 o_colour;
uniform vec3 u_fill; uniform vec3 u_halo; uniform vec3 u_late; uniform float u_blur;
float drop(vec2 p) {
  p.x = abs(p.x); p.y += 0.38;
  float r1 = 0.5; float r2 = 0.07; float h = 1.32;
  float b = (r1 - r2) / h; float a = sqrt(1.0 - b * b); float k = dot(p, vec2(-b, a));
  if (k < 0.0) return length(p) - r1;
  if (k > a * h) return length(p - vec2(0.0, h)) - r2;
  return dot(p, vec2(a, b)) - r1;
}
void main() {
  float d; vec3 colour = u_fill; float cover;
  if (v_kind == 1) d = drop(v_at); else d = length(v_at) - (v_kind == 0 ? 0.54 : 0.58);
  if (v_kind == 2) {
    float ring = abs(d) - 0.11;
    float dash = smoothstep(-0.25, 0.25, sin(atan(v_at.y, v_at.x) * 6.0));
    cover = smoothstep(u_blur, -u_blur, ring) * dash;
    colour = u_late;
    float back = smoothstep(u_blur, -u_blur, d) * 0.75;
    o_colour = vec4(mix(u_halo * back, colour, cover), max(cover, back));
    return;
  }
  if (d > 0.17 + u_blur) discard;
  cover = smoothstep(u_blur, -u_blur, d);
  float halo = smoothstep(u_blur, -u_blur, d - 0.17);
  o_colour = vec4(mix(u_halo * halo, colour, cover), halo);
}`;

const TRAIL_VERTEX = `${COMMON}
layout(location=0) in vec2 a_tail; layout(location=1) in vec4 a_head; layout(location=2) in vec2 a_times;
uniform vec2 u_pixel; uniform float u_width;
void main() {
  vec2 tail = clip(a_tail); vec2 head = clip(between(a_head.xy, a_head.zw, a_times));
  vec2 along = (head - tail) / u_pixel; float length_px = max(length(along), 0.001); along /= length_px;
  vec2 across = vec2(-along.y, along.x);
  float side = float(gl_VertexID & 1) * 2.0 - 1.0;
  vec2 end = (gl_VertexID >> 1) == 0 ? tail : head;
  gl_Position = vec4(end + across * side * u_width * 0.5 * u_pixel, 0.0, 1.0);
}`;

const TRAIL_FRAGMENT = `#version 300 es
precision highp float; out vec4 o_colour; uniform vec3 u_fill; uniform float u_alpha;
void main() { o_colour = vec4(u_fill * u_alpha, u_alpha); }`;

export class PeopleGl {
  /** Throws where WebGL2 is missing. */
  constructor(canvas) {
    const gl = canvas.getContext('webgl2', { alpha: true, premultipliedAlpha: true, antialias: false, depth: false });
    if (!gl) throw new Error('WebGL2 is missing');
    this.canvas = canvas;
    this.gl = gl;
    canvas.addEventListener('webglcontextlost', (event) => event.preventDefault());
    canvas.addEventListener('webglcontextrestored', () => this.prepare());
    this.prepare();
  }

  prepare() {
    const { gl } = this;
    this.person = program(gl, PERSON_VERTEX, PERSON_FRAGMENT);
    this.trail = program(gl, TRAIL_VERTEX, TRAIL_FRAGMENT);
    this.personBuffer = gl.createBuffer();
    this.trailBuffer = gl.createBuffer();
    this.personArray = layout(gl, this.personBuffer, STRIDE, [4, 2, 3]);
    this.trailArray = layout(gl, this.trailBuffer, SEGMENT, [2, 4, 2]);
    this.segments = new Float32Array(SEGMENTS_MAX * SEGMENT);
    this.segmentCount = 0;
    this.capacity = 0;
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  /** Brings changed positions to the card. Called after a tick, not at each frame. */
  upload(people, withTrails) {
    const { gl } = this;
    const data = people.data.subarray(0, people.count * STRIDE);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.personBuffer);
    if (this.capacity < people.data.length) {
      this.capacity = people.data.length;
      gl.bufferData(gl.ARRAY_BUFFER, people.data, gl.DYNAMIC_DRAW);
    } else if (data.length) {
      gl.bufferSubData(gl.ARRAY_BUFFER, 0, data);
    }
    this.segmentCount = withTrails ? this.collect(people) : 0;
    if (this.segmentCount) {
      gl.bindBuffer(gl.ARRAY_BUFFER, this.trailBuffer);
      gl.bufferData(gl.ARRAY_BUFFER, this.segments.subarray(0, this.segmentCount * SEGMENT), gl.DYNAMIC_DRAW);
    }
  }

  collect(people) {
    const { data } = people;
    let used = 0;
    for (let slot = 0; slot < people.count; slot += 1) {
      const at = slot * STRIDE;
      if (!data[at + 8]) continue;
      const trail = people.trail(slot);
      for (let i = 0; i + 1 < trail.length && used < SEGMENTS_MAX; i += 2, used += 1) {
        const last = i + 3 >= trail.length;
        const to = used * SEGMENT;
        this.segments[to] = trail[i];
        this.segments[to + 1] = trail[i + 1];
        for (let k = 0; k < 4; k += 1) this.segments[to + 2 + k] = last ? data[at + k] : trail[i + 2 + (k & 1)];
        this.segments[to + 6] = data[at + 4];
        this.segments[to + 7] = data[at + 5];
      }
    }
    return used;
  }

  draw(people, view, theme, { unit, staleSeconds }) {
    const { gl, canvas } = this;
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    if (!people.count) return;
    const dpr = canvas.width / view.width;
    const centre = [(view.cx - people.origin[0]) * UNIT, (view.cy - people.origin[1]) * UNIT];
    const perMetre = (2 * view.scale) / UNIT;
    const set = (shader) => {
      gl.useProgram(shader.program);
      gl.uniform2f(shader.u_centre, centre[0], centre[1]);
      gl.uniform2f(shader.u_scale, perMetre / view.width, -perMetre / view.height);
      gl.uniform1f(shader.u_now, people.now());
      gl.uniform2f(shader.u_pixel, 2 / view.width, 2 / view.height);
    };
    if (this.segmentCount) {
      set(this.trail);
      gl.uniform1f(this.trail.u_width, 2.2 * unit);
      gl.uniform3fv(this.trail.u_fill, rgb(theme['data-2']));
      gl.uniform1f(this.trail.u_alpha, 0.75);
      gl.bindVertexArray(this.trailArray);
      gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, this.segmentCount);
    }
    set(this.person);
    const size = 9.5 * unit;
    gl.uniform1f(this.person.u_size, size);
    gl.uniform1f(this.person.u_blur, 0.7 / (size * dpr));
    gl.uniform1f(this.person.u_stale, staleSeconds);
    gl.uniform3fv(this.person.u_fill, rgb(theme.data));
    gl.uniform3fv(this.person.u_halo, rgb(theme['panel-2']));
    gl.uniform3fv(this.person.u_late, rgb(theme.stale));
    gl.bindVertexArray(this.personArray);
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, people.count);
    gl.bindVertexArray(null);
  }

  destroy() { this.gl.getExtension('WEBGL_lose_context')?.loseContext(); }
}

function program(gl, vertex, fragment) {
  const made = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS) && !gl.isContextLost()) throw new Error(gl.getShaderInfoLog(shader));
    gl.attachShader(made, shader);
  }
  gl.linkProgram(made);
  const uniforms = { program: made };
  const count = gl.getProgramParameter(made, gl.ACTIVE_UNIFORMS) ?? 0;
  for (let i = 0; i < count; i += 1) {
    const { name } = gl.getActiveUniform(made, i);
    uniforms[name] = gl.getUniformLocation(made, name);
  }
  return uniforms;
}

function layout(gl, buffer, stride, sizes) {
  const array = gl.createVertexArray();
  gl.bindVertexArray(array);
  gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
  let offset = 0;
  for (const [location, size] of sizes.entries()) {
    gl.enableVertexAttribArray(location);
    gl.vertexAttribPointer(location, size, gl.FLOAT, false, stride * 4, offset * 4);
    gl.vertexAttribDivisor(location, 1);
    offset += size;
  }
  gl.bindVertexArray(null);
  return array;
}
