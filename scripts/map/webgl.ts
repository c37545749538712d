// Whether this browser draws with WebGL2, and how large.
//
// What should be here: asking the browser. What should not: drawing (`ground-gl`, `people-gl`).

/** Largest side of a texture, 0 where WebGL2 is missing. */
export function textureSizeMax(): number {
  try {
    const gl = document.createElement('canvas').getContext('webgl2', { failIfMajorPerformanceCaveat: false });
    if (gl === null) return 0;
    const size = Number(gl.getParameter(gl.MAX_TEXTURE_SIZE));
    gl.getExtension('WEBGL_lose_context')?.loseContext();
    return size;
  } catch {
    return 0;
  }
}
