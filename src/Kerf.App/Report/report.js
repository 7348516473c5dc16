"use strict";
// Images that equal another one borrow its data; viewers, charts, contents, copying. The turning view is in volume.js.
const all = (query, from = document) => [...from.querySelectorAll(query)];

for (const image of all("[data-same]")) image.src = document.getElementById(image.dataset.same).src;

function roundLength(across) {
  const power = 10 ** Math.floor(Math.log10(across)), lead = across / power;
  return (lead >= 5 ? 5 : lead >= 2 ? 2 : 1) * power;
}

function lengthText(value, unit) {
  if (unit !== "nm") return `${+value.toPrecision(3)} px`;
  return value < 1e3 ? `${+value.toPrecision(3)} nm` : value < 1e6 ? `${+(value / 1e3).toPrecision(3)} µm` : `${+(value / 1e6).toPrecision(3)} mm`;
}

function setScaleBar(bar, across, unit) {
  const length = roundLength(across / 4);
  bar.style.width = `${length / across * 100}%`;
  bar.firstElementChild.textContent = lengthText(length, unit);
}

function rgb(hex) { return [1, 3, 5].map(i => parseInt(hex.slice(i, i + 2), 16)) }

function pixels(image) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

function canvasOver(image) {
  let canvas = image.parentElement.querySelector("canvas");
  if (!canvas) image.parentElement.append(canvas = document.createElement("canvas"));
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  return canvas;
}

// blue below, white at, red above zero
function diverging(t) {
  const stops = [[33, 102, 172], [146, 197, 222], [247, 247, 247], [244, 165, 130], [178, 24, 43]];
  const at = Math.min(3.999, Math.max(0, (t + 1) * 2)), i = Math.floor(at), f = at - i;
  return stops[i].map((low, c) => low + (stops[i + 1][c] - low) * f);
}

async function drawDifference(plane, kind) {
  const [first, last] = [plane.querySelector("img.before"), plane.querySelector("img.after")];
  await Promise.all([first.decode(), last.decode()]);
  const a = pixels(first), b = pixels(last), canvas = canvasOver(last), context = canvas.getContext("2d");
  const table = Array.from({ length: 511 }, (_, i) => diverging((i - 255) / 127.5));
  for (let i = 0; i < b.data.length; i += 4) {
    if (kind === "grey") {
      const colour = table[b.data[i] - a.data[i] + 255];
      [b.data[i], b.data[i + 1], b.data[i + 2]] = colour;
    } else {
      const changed = a.data[i] !== b.data[i] || a.data[i + 1] !== b.data[i + 1] || a.data[i + 2] !== b.data[i + 2];
      const dim = 205 + (b.data[i] + b.data[i + 1] + b.data[i + 2]) / 3 * 0.18;
      [b.data[i], b.data[i + 1], b.data[i + 2]] = changed ? [205, 30, 45] : [dim, dim, dim];
    }
    b.data[i + 3] = 255;
  }
  context.putImageData(b, 0, 0);
}

// phases as filled areas, or as lines where the phase changes; hidden phases stay clear
async function paintPhases(viewer, plane, outline) {
  const image = plane.querySelector("img.after");
  await image.decode();
  const source = pixels(image), { width, height, data } = source, key = new Int32Array(width * height);
  const shown = new Set(all(".overlay .phase", viewer).filter(l => l.firstElementChild.checked)
    .map(l => { const [r, g, b] = rgb(l.dataset.colour); return r << 16 | g << 8 | b }));
  for (let i = 0; i < key.length; i++) {
    const colour = data[4 * i] << 16 | data[4 * i + 1] << 8 | data[4 * i + 2];
    key[i] = data[4 * i + 3] && shown.has(colour) ? colour : -1;
  }
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++, i++) {
      const edge = x > 0 && key[i - 1] !== key[i] || y > 0 && key[i - width] !== key[i] ||
        x + 1 < width && key[i + 1] !== key[i] || y + 1 < height && key[i + width] !== key[i];
      data[4 * i + 3] = key[i] >= 0 && (!outline || edge) ? 255 : 0;
    }
  canvasOver(image).getContext("2d").putImageData(source, 0, 0);
}

class Viewer {
  constructor(root) {
    this.root = root;
    this.kind = root.dataset.kind;
    this.planes = all(".plane", root);
    [this.zoom, this.x, this.y] = [1, 0, 0];
    root.addEventListener("change", () => this.update());
    root.querySelector(".opacity")?.addEventListener("input", event => root.style.setProperty("--opacity", event.target.value / 100));
    root.querySelector(".zoom select").addEventListener("change", event => {
      [this.zoom, this.x, this.y] = [+event.target.value, 0, 0];
      this.place();
    });
    for (const plane of this.planes) {
      const wipe = plane.querySelector(".wipe");
      wipe.addEventListener("input", () => plane.style.setProperty("--wipe", `${wipe.value / 10}%`));
      plane.addEventListener("wheel", event => this.wheel(event), { passive: false });
      for (const pane of all(".pane", plane)) pane.addEventListener("pointerdown", event => this.drag(event, pane));
    }
    const middle = all("input[name$=plane]", root)[this.planes.length > 3 ? 1 : 0];
    if (middle) middle.checked = true;
    this.update();
  }

  chosen(name) { return this.root.querySelector(`input[name$=${name}]:checked`)?.value }

  update() {
    const mode = this.kind === "apart" ? "side" : this.chosen("mode"), plane = this.planes[+this.chosen("plane")];
    this.root.dataset.mode = mode;
    for (const each of this.planes) each.classList.toggle("shown", each === plane);
    const painted = mode === "fill" || mode === "outline";
    const classes = { wiped: "wipe", blinking: "blink", differing: "difference", apart: "side", outlined: "outline" };
    for (const name in classes) plane.classList.toggle(name, mode === classes[name]);
    plane.classList.toggle("painted", painted);
    plane.querySelector(".after canvas")?.remove();
    if (mode === "difference") drawDifference(plane, this.kind);
    if (painted) paintPhases(this.root, plane, mode === "outline");
    clearInterval(this.timer);
    plane.classList.remove("flipped");
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (mode === "blink") this.timer = setInterval(() => plane.classList.toggle("flipped"), still ? 3000 : 800);
    this.place();
  }

  place() {
    const limit = (this.zoom - 1) * 50;
    this.x = Math.min(limit, Math.max(-limit, this.x));
    this.y = Math.min(limit, Math.max(-limit, this.y));
    this.root.dataset.zoom = this.zoom;
    const values = { "--zoom": this.zoom, "--px": `${this.x}%`, "--py": `${this.y}%` };
    for (const name in values) this.root.style.setProperty(name, values[name]);
    for (const pane of all(".shown .pane", this.root))
      setScaleBar(pane.querySelector(".scalebar"), pane.dataset.across / this.zoom, pane.dataset.unit);
  }

  wheel(event) {
    if (this.zoom === 1 && !event.ctrlKey) return;
    event.preventDefault();
    if (event.ctrlKey) {
      this.zoom = Math.min(8, Math.max(1, event.deltaY < 0 ? this.zoom * 2 : this.zoom / 2));
      this.root.querySelector(".zoom select").value = this.zoom;
    } else [this.x, this.y] = [this.x - event.deltaX * 0.1, this.y - event.deltaY * 0.1];
    this.place();
  }

  drag(event, pane) {
    if (this.zoom === 1) return;
    const from = [event.clientX, event.clientY, this.x, this.y], box = pane.getBoundingClientRect();
    pane.setPointerCapture(event.pointerId);
    pane.onpointermove = move => {
      this.x = from[2] + (move.clientX - from[0]) / box.width * 100;
      this.y = from[3] + (move.clientY - from[1]) / box.height * 100;
      this.place();
    };
    pane.onpointerup = pane.onpointercancel = () => { pane.onpointermove = null };
  }
}
for (const viewer of all(".viewer")) new Viewer(viewer);

// charts: the nearest abscissa under the pointer, or arrow keys, is read out in the legend
for (const svg of all("svg[data-chart]")) {
  // the plot area is the one of Chart.cs
  const { x, s, box: [x0, x1, y0, y1] } = JSON.parse(svg.dataset.chart), [left, top, width, height] = [56, 10, 412, 164];
  const figure = svg.closest(".chart"), outputs = all("output", figure), cursor = svg.querySelector(".cursor");
  const colours = all(".legend i", figure).map(i => i.style.background);
  const extreme = value => Math.abs(value) >= 1e5 || value !== 0 && Math.abs(value) < 1e-3;
  const text = value => value === null ? "–" : extreme(value) ? value.toExponential(2) : String(+value.toPrecision(4));
  let at = -1;
  const show = index => {
    at = Math.min(x.length - 1, Math.max(0, index));
    const px = left + (x[at] - x0) / (x1 - x0) * width;
    cursor.innerHTML = `<path d="M${px} ${top}v${height}"/>` + s.map((line, i) => line[at] === null ? "" :
      `<circle r="3.2" cx="${px}" cy="${top + height - (line[at] - y0) / (y1 - y0) * height}" fill="${colours[i]}"/>`).join("");
    outputs.forEach((output, i) => { output.textContent = text(s[i][at]) });
    figure.querySelector(".at").textContent = `at ${text(x[at])}`;
  };
  const hide = () => { cursor.innerHTML = ""; for (const o of outputs) o.textContent = ""; figure.querySelector(".at").textContent = ""; at = -1 };
  svg.addEventListener("pointermove", event => {
    const frame = svg.getBoundingClientRect(), wanted = x0 + ((event.clientX - frame.left) / frame.width * 480 - left) / width * (x1 - x0);
    let best = 0;
    for (let i = 1; i < x.length; i++) if (Math.abs(x[i] - wanted) < Math.abs(x[best] - wanted)) best = i;
    show(best);
  });
  svg.addEventListener("pointerleave", hide);
  svg.addEventListener("blur", hide);
  svg.addEventListener("keydown", event => {
    const move = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key];
    if (move) { event.preventDefault(); show(at + move) }
  });
}

// contents: where the reader is
const links = new Map(all("nav li a").map(a => [a.getAttribute("href").slice(1), a]));
const watch = new IntersectionObserver(entries => {
  for (const entry of entries) if (entry.isIntersecting) {
    for (const link of links.values()) link.classList.remove("here");
    links.get(entry.target.id)?.classList.add("here");
  }
}, { rootMargin: "-20% 0px -70% 0px" });
for (const id of links.keys()) { const target = document.getElementById(id); if (target) watch.observe(target) }

document.querySelector(".theme").addEventListener("click", () => {
  const root = document.documentElement, system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const dark = (root.dataset.theme ?? system) === "dark";
  root.dataset.theme = dark ? "light" : "dark";
});

function tableText() {
  const quote = value => /[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
  const rows = all(".measurements tbody tr").map(tr => {
    const cells = [...tr.cells], word = i => cells[i].textContent.trim(), { value } = cells[3].dataset, { unit } = cells[4].dataset;
    const { low, high } = cells[5].dataset;
    return [word(0), word(1), word(2), value, unit, low, high, word(7)].map(quote).join(",");
  });
  return ["quantity,phase,axis,value,unit,low,high,method", ...rows].join("\n") + "\n";
}
for (const button of all(".copy")) button.addEventListener("click", async () => {
  const text = button.dataset.copy === "csv" ? tableText() : document.querySelector(".recipe").textContent, before = button.textContent;
  try { await navigator.clipboard.writeText(text); button.textContent = "Copied" } catch { button.textContent = "Copying is not allowed here" }
  setTimeout(() => { button.textContent = before }, 1500);
});
