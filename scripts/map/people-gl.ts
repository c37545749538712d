// Draws inspectors and their trails with WebGL2: one instanced call each, the way between two fixes computed on the card.
//
// What should be here: shaders and buffers. What should not: where anybody is.

import { rgb, type Theme, type View } from './geo.js';
import type { Look, Painter } from './people-2d.js';
import { SEGMENT, STRIDE, UNIT, type People } from './people.js';

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

/** A linked program and where its uniforms are. */
interface Shader {
  program: WebGLProgram;
  uniforms: Map<string, WebGLUniformLocation | null>;
}

/** What is made anew when the card has lost everything. */
interface Prepared {
  person: Shader;
  trail: Shader;
  personBuffer: WebGLBuffer;
  trailBuffer: WebGLBuffer;
  personArray: WebGLVertexArrayObject;
  trailArray: WebGLVertexArrayObject;
}

export class PeopleGl implements Painter {
  readonly #canvas: HTMLCanvasElement;
  readonly #gl: WebGL2RenderingContext;
  #made: Prepared;
  #segments = 0;
  #capacity = 0;

  /** Throws where WebGL2 is missing. */
  constructor(canvas: HTMLCanvasElement) {
    const gl = canvas.getContext('webgl2', { alpha: true, premultipliedAlpha: true, antialias: false, depth: false });
    if (gl === null) throw new Error('WebGL2 is missing');
    [this.#canvas, this.#gl] = [canvas, gl];
    canvas.addEventListener('webglcontextlost', (event) => { event.preventDefault(); });
    canvas.addEventListener('webglcontextrestored', () => { this.#made = this.#prepare(); });
    this.#made = this.#prepare();
  }

  #prepare(): Prepared {
    const gl = this.#gl;
    const [personBuffer, trailBuffer] = [gl.createBuffer(), gl.createBuffer()];
    [this.#segments, this.#capacity] = [0, 0];
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    return {
      person: program(gl, PERSON_VERTEX, PERSON_FRAGMENT), trail: program(gl, TRAIL_VERTEX, TRAIL_FRAGMENT), personBuffer, trailBuffer,
      personArray: layout(gl, personBuffer, STRIDE, [4, 2, 3]), trailArray: layout(gl, trailBuffer, SEGMENT, [2, 4, 2]),
    };
  }

  /** Brings changed positions to the card. Called after a tick, not at each frame. */
  upload(people: People): void {
    const gl = this.#gl;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#made.personBuffer);
    if (this.#capacity < people.data.length) {
      this.#capacity = people.data.length;
      gl.bufferData(gl.ARRAY_BUFFER, people.data, gl.DYNAMIC_DRAW);
    } else if (people.data.length > 0) {
      gl.bufferSubData(gl.ARRAY_BUFFER, 0, people.data);
    }
    this.#segments = people.segments.length / SEGMENT;
    if (this.#segments === 0) return;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#made.trailBuffer);
    gl.bufferData(gl.ARRAY_BUFFER, people.segments, gl.DYNAMIC_DRAW);
  }

  draw(people: People, view: View, theme: Theme, { unit, staleSeconds }: Look): void {
    const gl = this.#gl;
    gl.viewport(0, 0, this.#canvas.width, this.#canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    if (people.count === 0) return;
    const { person, trail, personArray, trailArray } = this.#made;
    if (this.#segments > 0) {
      const at = this.#use(trail, people, view);
      gl.uniform1f(at('u_width'), 2.2 * unit);
      gl.uniform3fv(at('u_fill'), rgb(theme['data-2']));
      gl.uniform1f(at('u_alpha'), 0.75);
      gl.bindVertexArray(trailArray);
      gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, this.#segments);
    }
    const at = this.#use(person, people, view);
    const size = 9.5 * unit;
    gl.uniform1f(at('u_size'), size);
    gl.uniform1f(at('u_blur'), 0.7 / (size * (this.#canvas.width / view.width)));
    gl.uniform1f(at('u_stale'), staleSeconds);
    gl.uniform3fv(at('u_fill'), rgb(theme.data));
    gl.uniform3fv(at('u_halo'), rgb(theme['panel-2']));
    gl.uniform3fv(at('u_late'), rgb(theme.stale));
    gl.bindVertexArray(personArray);
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, people.count);
    gl.bindVertexArray(null);
  }

  /** Takes a shader into use and tells it where one looks; answers with the way to its uniforms. */
  #use({ program, uniforms }: Shader, people: People, view: View): (name: string) => WebGLUniformLocation | null {
    const gl = this.#gl;
    const at = (name: string) => uniforms.get(name) ?? null;
    const perMetre = (2 * view.scale) / UNIT;
    gl.useProgram(program);
    gl.uniform2f(at('u_centre'), (view.cx - people.origin.x) * UNIT, (view.cy - people.origin.y) * UNIT);
    gl.uniform2f(at('u_scale'), perMetre / view.width, -perMetre / view.height);
    gl.uniform1f(at('u_now'), people.now());
    gl.uniform2f(at('u_pixel'), 2 / view.width, 2 / view.height);
    return at;
  }

  destroy(): void { this.#gl.getExtension('WEBGL_lose_context')?.loseContext(); }
}

function program(gl: WebGL2RenderingContext, vertex: string, fragment: string): Shader {
  const made = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]] as const) {
    const shader = gl.createShader(kind);
    if (shader === null) throw new Error('the card makes no shader');
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    if (gl.getShaderParameter(shader, gl.COMPILE_STATUS) !== true && !gl.isContextLost()) throw new Error(gl.getShaderInfoLog(shader) ?? 'a shader');
    gl.attachShader(made, shader);
  }
  gl.linkProgram(made);
  const uniforms = new Map<string, WebGLUniformLocation | null>();
  const count = Number(gl.getProgramParameter(made, gl.ACTIVE_UNIFORMS) ?? 0);
  for (let i = 0; i < count; i += 1) {
    const name = gl.getActiveUniform(made, i)?.name ?? '';
    uniforms.set(name, gl.getUniformLocation(made, name));
  }
  return { program: made, uniforms };
}

function layout(gl: WebGL2RenderingContext, buffer: WebGLBuffer, stride: number, sizes: number[]): WebGLVertexArrayObject {
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
