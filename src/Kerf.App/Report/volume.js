// The volume as surfaces: rays are marched through smoothed phase indicators; a surface lies where an indicator crosses one half.
// Object axes: x right, y up (rows run down), z towards the viewer (slices run away). The projection is orthographic, so the scale bar holds.
const vertexShader = `#version 300 es
in vec2 corner; out vec2 at;
void main() { at = corner; gl_Position = vec4(corner, 0, 1); }`;

const fragmentShader = `#version 300 es
precision highp float; precision highp sampler3D;
uniform sampler3D low, high;
uniform mat3 turn;
uniform vec3 extent, cells, boxLow, boxHigh;
uniform vec2 frame;
uniform float level, stride;
uniform vec4 colours[8];
in vec2 at; out vec4 result;

vec3 place(vec3 q) { return 0.5 + 0.5 * vec3(q.x, -q.y, -q.z) / extent; }
float one(vec3 q, int k) { return k < 4 ? texture(low, place(q))[k] : texture(high, place(q))[k - 4]; }
float visible(vec3 q) {
  vec4 a = texture(low, place(q)), b = texture(high, place(q));
  float sum = 0.0;
  for (int k = 0; k < 4; k++) sum += a[k] * colours[k].a + b[k] * colours[k + 4].a;
  return any(lessThan(q, boxLow)) || any(greaterThan(q, boxHigh)) ? 0.0 : sum;
}
vec3 normalAt(vec3 q, int k) {
  vec3 e = 2.0 * extent / cells * 1.2;
  return vec3(one(q + vec3(e.x, 0, 0), k) - one(q - vec3(e.x, 0, 0), k), one(q + vec3(0, e.y, 0), k) - one(q - vec3(0, e.y, 0), k),
    one(q + vec3(0, 0, e.z), k) - one(q - vec3(0, 0, e.z), k)) / e;
}
vec3 lit(vec3 colour, vec3 n, vec3 q) {
  vec3 key = normalize(turn * vec3(-0.5, 0.6, 0.75)), eye = turn * vec3(0, 0, 1);
  float open = 0.0;
  for (int i = 1; i <= 3; i++) open += visible(q + n * stride * float(i * i) * 1.6) / 3.0;
  float shade = 1.0 - 0.55 * min(open, 1.0);
  float gleam = pow(max(dot(n, normalize(key + eye)), 0.0), 32.0) * 0.16;
  return colour * (0.42 * shade + 0.62 * max(dot(n, key), 0.0) * mix(shade, 1.0, 0.5) + 0.06) + gleam;
}
void main() {
  vec3 back = turn * vec3(0, 0, 1), origin = turn * vec3(at * frame, 0) + back * 4.0, d = -back;
  vec3 safe = mix(d, vec3(1e-6), lessThan(abs(d), vec3(1e-6)));
  vec3 a = (boxLow - origin) / safe, b = (boxHigh - origin) / safe, near = min(a, b), far = max(a, b);
  float t0 = max(near.x, max(near.y, near.z)), t1 = min(far.x, min(far.y, far.z));
  result = vec4(0);
  if (t0 >= t1) return;
  vec3 face = near.x >= t0 ? vec3(-sign(d.x), 0, 0) : near.y >= t0 ? vec3(0, -sign(d.y), 0) : vec3(0, 0, -sign(d.z));
  vec4 lastLow = vec4(0), lastHigh = vec4(0);
  for (int i = 0; i < 1200; i++) {
    float t = t0 + stride * float(i);
    if (t > t1 || result.a > 0.985) break;
    vec3 q = origin + d * t;
    vec4 nowLow = texture(low, place(q)), nowHigh = texture(high, place(q));
    for (int k = 0; k < 8; k++) {
      vec4 colour = colours[k];
      if (colour.a <= 0.0) continue;
      float was = k < 4 ? lastLow[k] : lastHigh[k - 4], now = k < 4 ? nowLow[k] : nowHigh[k - 4];
      bool enters = was < level && now >= level, leaves = was >= level && now < level && colour.a < 0.99;
      if (!enters && !leaves) continue;
      vec3 p = i == 0 ? q : q - d * stride * (now - level) / (now - was);
      vec3 slope = normalAt(p, k), n = i == 0 || dot(slope, slope) < 1e-9 ? face : -normalize(slope);
      if (dot(n, d) > 0.0) n = -n;
      vec3 shown = i == 0 ? colour.rgb * (0.80 + 0.16 * max(dot(n, normalize(turn * vec3(-0.5, 0.6, 0.75))), 0.0)) : lit(colour.rgb, n, p);
      float alpha = colour.a * (leaves ? 0.6 : 1.0);
      result += vec4(shown * alpha, alpha) * (1.0 - result.a);
    }
    lastLow = nowLow; lastHigh = nowHigh;
  }
}`;

async function unpack(text) {
  const bytes = Uint8Array.from(atob(text.trim()), c => c.charCodeAt(0));
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).arrayBuffer());
}

// (1 2 1)/4 along each axis; the border repeats
function smooth(field, size) {
  const steps = [1, size[0], size[0] * size[1]];
  let [from, to] = [field, new Float32Array(field.length)];
  for (let axis = 0; axis < 3; axis++) {
    const step = steps[axis], count = size[axis];
    for (let i = 0; i < from.length; i++) {
      const place = Math.floor(i / step) % count;
      to[i] = 0.5 * from[i] + 0.25 * (from[place > 0 ? i - step : i] + from[place + 1 < count ? i + step : i]);
    }
    [from, to] = [to, from];
  }
  return from;
}

class Space {
  static async open(root) {
    const space = new Space();
    space.root = root;
    space.stage = root.querySelector(".space-stage");
    space.canvas = root.querySelector("canvas");
    const gl = space.gl = space.canvas.getContext("webgl2", { antialias: false, premultipliedAlpha: true, preserveDrawingBuffer: true });
    if (!gl || !("DecompressionStream" in window)) return;
    space.size = root.dataset.size.split(",").map(Number);
    const real = root.dataset.extent.split(",").map(Number);
    space.unitPer = Math.max(...real) / 2;
    space.real = real;
    space.half = real.map(length => length / 2 / space.unitPer);
    Object.assign(space, { azimuth: -0.6, elevation: 0.42, zoom: 1, level: root.dataset.kind === "grey" ? 0.6 : 0.5 });
    space.rows = all(".phase-row", root);
    if (!space.program()) return;
    space.upload(await unpack(root.querySelector(".voxels").textContent));
    root.classList.add("live");
    space.canvas.hidden = root.querySelector("form").hidden = false;
    root.querySelector(".still").hidden = true;
    space.listen();
    space.draw();
  }

  program() {
    const gl = this.gl, program = gl.createProgram();
    for (const [type, source] of [[gl.VERTEX_SHADER, vertexShader], [gl.FRAGMENT_SHADER, fragmentShader]]) {
      const shader = gl.createShader(type);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) { console.warn(gl.getShaderInfoLog(shader)); return false }
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) { console.warn(gl.getProgramInfoLog(program)); return false }
    gl.useProgram(program);
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([-1, -1, 1, -1, -1, 1, 1, 1]), gl.STATIC_DRAW);
    const corner = gl.getAttribLocation(program, "corner");
    gl.enableVertexAttribArray(corner);
    gl.vertexAttribPointer(corner, 2, gl.FLOAT, false, 0, 0);
    this.uniform = name => gl.getUniformLocation(program, name);
    return true;
  }

  // up to eight phases, one colour channel of two textures each
  upload(voxels) {
    const gl = this.gl, count = voxels.length, textures = [new Uint8Array(4 * count), new Uint8Array(4 * count)];
    const channels = this.rows.length ? this.rows.slice(0, 8).map(row => +row.dataset.label) : [-1];
    channels.forEach((label, k) => {
      const field = smooth(Float32Array.from(voxels, label < 0 ? v => v / 252 : v => v === label ? 1 : 0), this.size), target = textures[k >> 2];
      for (let i = 0; i < count; i++) target[4 * i + (k & 3)] = Math.round(255 * field[i]);
    });
    textures.forEach((data, unit) => {
      gl.activeTexture(gl.TEXTURE0 + unit);
      gl.bindTexture(gl.TEXTURE_3D, gl.createTexture());
      for (const axis of ["S", "T", "R"]) gl.texParameteri(gl.TEXTURE_3D, gl[`TEXTURE_WRAP_${axis}`], gl.CLAMP_TO_EDGE);
      for (const filter of ["MIN", "MAG"]) gl.texParameteri(gl.TEXTURE_3D, gl[`TEXTURE_${filter}_FILTER`], gl.LINEAR);
      gl.texImage3D(gl.TEXTURE_3D, 0, gl.RGBA8, ...this.size, 0, gl.RGBA, gl.UNSIGNED_BYTE, data);
    });
    gl.uniform1i(this.uniform("low"), 0);
    gl.uniform1i(this.uniform("high"), 1);
  }

  axes() {
    const [ca, sa, ce, se] = [Math.cos(this.azimuth), Math.sin(this.azimuth), Math.cos(this.elevation), Math.sin(this.elevation)];
    return { right: [ca, 0, -sa], up: [-sa * se, ce, -ca * se], back: [sa * ce, se, ca * ce] };
  }

  draw(moving = false) {
    const gl = this.gl, { right, up, back } = this.axes(), [width, height] = [this.stage.clientWidth, this.stage.clientHeight];
    if (!width) return;
    const dense = moving ? 0.5 : Math.min(2, devicePixelRatio);
    [this.canvas.width, this.canvas.height] = [Math.round(width * dense), Math.round(height * dense)];
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    // the frame holds the whole box from any side, so that turning does not change the scale
    const reach = Math.hypot(...this.half) * 0.94 / this.zoom;
    this.frame = [reach * Math.max(1, width / height), reach * Math.max(1, height / width)];
    const [boxLow, boxHigh] = this.cut();
    gl.uniformMatrix3fv(this.uniform("turn"), false, [...right, ...up, ...back]);
    gl.uniform3fv(this.uniform("extent"), this.half);
    gl.uniform3fv(this.uniform("cells"), this.size);
    gl.uniform3fv(this.uniform("boxLow"), boxLow);
    gl.uniform3fv(this.uniform("boxHigh"), boxHigh);
    gl.uniform2fv(this.uniform("frame"), this.frame);
    gl.uniform1f(this.uniform("level"), this.level);
    gl.uniform1f(this.uniform("stride"), 2 * Math.max(...this.half) / Math.max(...this.size) * (moving ? 1 : 0.6));
    gl.uniform4fv(this.uniform("colours"), this.colours());
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    this.outline(boxLow, boxHigh, right, up, back, width, height);
    setScaleBar(this.root.querySelector(".scalebar"), 2 * this.frame[0] * this.unitPer, this.root.dataset.unit);
  }

  colours() {
    const values = new Float32Array(32);
    if (!this.rows.length) values.set([0.77, 0.74, 0.69, 1]);
    this.rows.slice(0, 8).forEach((row, k) => {
      const [check, slider] = all("input", row);
      values.set([...rgb(row.dataset.colour).map(c => c / 255), check.checked ? slider.value / 100 : 0], 4 * k);
    });
    return values;
  }

  // the cutting plane takes a part of the box away, from its near or its far end
  cut() {
    const form = this.root.querySelector("form"), axis = "xyz".indexOf(form.cut.value), share = form.querySelector(".cut-at").value / 100;
    const [low, high] = [this.half.map(h => -h), [...this.half]], length = 2 * this.half[axis] * Math.min(0.995, share);
    // slices and rows count against the object's axes, so x is cut from its low end, y and z from their high one
    const fromLow = (axis === 0) !== form.querySelector(".cut-flip").checked;
    if (fromLow) low[axis] += length; else high[axis] -= length;
    return [low, high];
  }

  outline(low, high, right, up, back, width, height) {
    const corner = i => [i & 1 ? high[0] : low[0], i & 2 ? high[1] : low[1], i & 4 ? high[2] : low[2]];
    const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
    const project = p => [(dot(p, right) / this.frame[0] + 1) / 2 * width, (1 - dot(p, up) / this.frame[1]) / 2 * height];
    const corners = [...Array(8).keys()].map(corner), farthest = corners.map((p, i) => [dot(p, back), i]).sort((a, b) => a[0] - b[0])[0][1];
    const parts = { behind: "", front: "" }, labels = ["", "", ""], best = [-Infinity, -Infinity, -Infinity];
    const centre = project(low.map((l, i) => (l + high[i]) / 2));
    for (let i = 0; i < 8; i++) for (let axis = 0; axis < 3; axis++) {
      const j = i | 1 << axis;
      if (j === i) continue;
      const [a, b] = [project(corners[i]), project(corners[j])], middle = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
      const hidden = i === farthest || j === farthest;
      parts[hidden ? "behind" : "front"] += `<path d="M${a}L${b}"/>`;
      const away = [middle[0] - centre[0], middle[1] - centre[1]], far = Math.hypot(...away);
      // the outermost edge of each axis carries its length; of two, the lower one
      if (far > 20 && far + away[1] * 0.3 > best[axis] && Math.hypot(b[0] - a[0], b[1] - a[1]) > 24) {
        best[axis] = far + away[1] * 0.3;
        const length = lengthText((high[axis] - low[axis]) * this.unitPer, this.root.dataset.unit);
        labels[axis] = `<text x="${middle[0] + away[0] / far * 30}" y="${middle[1] + away[1] / far * 18 + 4}">${"xyz"[axis]} ${length}</text>`;
      }
    }
    this.root.querySelector(".behind").innerHTML = parts.behind;
    this.root.querySelector(".front").innerHTML = parts.front + labels.join("");
  }

  // one picture a frame while something moves, a fine one when it rests
  request(moving = false) {
    cancelAnimationFrame(this.next);
    clearTimeout(this.rest);
    this.next = requestAnimationFrame(() => this.draw(moving));
    if (moving) this.rest = setTimeout(() => this.draw(), 180);
  }

  turnBy(azimuth, elevation) {
    this.azimuth += azimuth;
    this.elevation = Math.min(Math.PI / 2, Math.max(-Math.PI / 2, this.elevation + elevation));
    this.request(true);
  }

  zoomBy(factor) { this.zoom = Math.min(8, Math.max(0.5, this.zoom * factor)); this.request(true) }

  listen() {
    const { canvas, root } = this, form = root.querySelector("form");
    canvas.addEventListener("pointerdown", event => { canvas.setPointerCapture(event.pointerId); this.held = [event.clientX, event.clientY] });
    canvas.addEventListener("pointermove", event => {
      if (!this.held) return;
      this.turnBy((this.held[0] - event.clientX) * 0.008, (event.clientY - this.held[1]) * 0.008);
      this.held = [event.clientX, event.clientY];
    });
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => { this.held = null });
    canvas.addEventListener("wheel", event => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      this.zoomBy(Math.exp(-event.deltaY * 0.004));
    }, { passive: false });
    canvas.addEventListener("keydown", event => {
      const turn = { ArrowLeft: [0.1, 0], ArrowRight: [-0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] }[event.key];
      const zoom = { "+": 1.15, "=": 1.15, "-": 1 / 1.15 }[event.key];
      if (turn) { event.preventDefault(); this.turnBy(...turn) }
      if (zoom) { event.preventDefault(); this.zoomBy(zoom) }
    });
    form.addEventListener("submit", event => event.preventDefault());
    form.addEventListener("input", event => {
      if (event.target.classList.contains("iso")) this.level = event.target.value / 100;
      this.request(event.target.type === "range");
    });
    for (const button of all("[data-view]", form)) button.addEventListener("click", () => {
      const views = { oblique: [-0.6, 0.42], xy: [0, 0], xz: [0, Math.PI / 2], yz: [Math.PI / 2, 0] };
      [this.azimuth, this.elevation] = views[button.dataset.view];
      this.request();
    });
    new ResizeObserver(() => this.request()).observe(this.stage);
  }
}
for (const root of all(".space")) Space.open(root).catch(error => console.warn(error));
