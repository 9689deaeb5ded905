"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { texts, facts, shapes, pictures } = data;
  const SVG = "http://www.w3.org/2000/svg";
  const STRANDS = ["ahead", "back", "read"];
  const LINE = 16, FONT = 14, MOST_WIRES = 40, LEGIBLE = 0.7;
  const at = (id) => document.getElementById(id);
  const diagram = at("diagram"), query = at("query"), slider = at("step");

  // What is on the screen: a picture, where it lies (x, y, scale), and which box is selected.
  let picture = pictures[0], plates = [], chosen = null, hit = -1;
  let x = 0, y = 0, scale = 1, content = null, fitted = [], extentOf = [0, 0];
  // What of it is still to be made: only what is in sight is made before a click is answered, the rest in slices after that.
  const LAYERS = ["frames", "strokes", "dots", "fronts", "notes"], SLICE = 6, PAUSE = 30, MARGIN = 40;
  let layers = {}, waiting = [], round = 0, stop = null, marked = new Set();

  // -- elements: texts are put in as texts, and nothing is ever parsed ------------------------------------------------
  function make(name, attributes = {}, ...children) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  function html(name, text = "", attributes = {}) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.textContent = text;
    return made;
  }

  // -- the diagram ---------------------------------------------------------------------------------------------------
  function read(row, index) {
    const [shape, left, top] = row, [kind, width, height, lines, tip, path, told, box, part] = shapes[shape];
    const label = lines.map((t) => texts[t]).join(" ");
    return {
      index, kind: texts[kind], left, top, width, height, lines: lines.map((t) => texts[t]), label, tip: texts[tip], path: texts[path],
      facts: facts[told], box: box < 0 ? "" : texts[box], part: texts[part], made: null,
      get group() {
        if (!this.made) {
          this.made = plate(this);
          layers[this.kind === "frame" ? "frames" : "fronts"].append(this.made);
        }
        return this.made;
      },
    };
  }

  const extents = new Map();

  // How far a path reaches from its start: its points and handles are pairs of numbers.
  function extent(shape) {
    if (!extents.has(shape)) {
      const numbers = shapes[shape][3].match(/-?[\d.]+/g).map(Number), across = numbers.filter((_, k) => k % 2 === 0), down = numbers.filter((_, k) => k % 2);
      extents.set(shape, [Math.min(...across), Math.min(...down), Math.max(...across), Math.max(...down)]);
    }
    return extents.get(shape);
  }

  function heads() {
    const made = make("defs");
    for (const strand of STRANDS) {
      const shape = { id: `head-${strand}`, viewBox: "0 0 8.5 8.4", refX: 4.25, refY: 4.2, markerWidth: 8.5, markerHeight: 8.4 };
      const marker = make("marker", { ...shape, markerUnits: "userSpaceOnUse", orient: "auto-start-reverse" });
      marker.append(make("path", { d: "M0 0L8.5 4.2L0 8.4z", class: `head-${strand}` }));
      made.append(marker);
    }
    return made;
  }

  function outline(p) {
    if (p.kind !== "cap") return make("rect", { x: p.left, y: p.top, width: p.width, height: p.height, rx: 5 });
    const r = Math.min(p.height / 2, 22), flat = p.width - r;
    return make("path", { d: `M${p.left} ${p.top}h${flat}a${r} ${r} 0 0 1 ${r} ${r}v${p.height - 2 * r}a${r} ${r} 0 0 1 ${-r} ${r}h${-flat}z` });
  }

  function plate(p) {
    const bare = ["parameter", "input", "output"].includes(p.kind), frame = p.kind === "frame";
    const group = make("g", { class: [p.kind, p.part, bare ? "bare" : "", p.box ? "opens" : ""].join(" ").trim(), tabindex: -1 });
    group.setAttribute("role", p.box ? "button" : "img");
    group.setAttribute("aria-label", [p.label, p.part, p.path && `in ${p.path}`].filter(Boolean).join(", "));
    if (marked.has(p)) group.classList.add("hit");
    if (p.box) group.setAttribute("aria-expanded", String(frame));
    group.dataset.plate = p.index;
    group.append(outline(p));
    if (frame) group.append(make("text", { x: p.left + 14, y: p.top + LINE }, p.label));
    else {
      const first = p.top + p.height / 2 - (LINE * (p.lines.length - 1)) / 2 + FONT * 0.35;
      const x = p.left + p.width * ({ input: 1, output: 0 }[p.kind] ?? 0.5);
      p.lines.forEach((line, k) => group.append(make("text", { x, y: first + LINE * k }, line)));
    }
    return group;
  }

  function stroke([shape, left, top], index) {
    const [strand, arrow, , path] = shapes[shape], name = STRANDS[strand];
    const made = make("path", { class: `strand ${name}`, d: path, transform: `translate(${left} ${top})` });
    if (arrow) made.setAttribute(arrow === 1 ? "marker-start" : "marker-end", `url(#head-${name})`);
    made.dataset.stroke = index;
    return made;
  }

  // Titles are made when they are first asked for.
  function titled(node) {
    const group = node.closest("g[data-plate], path[data-stroke]");
    if (!group || group.querySelector("title")) return;
    const p = plateOf(node), tip = p ? told(p) : texts[shapes[picture.strokes[Number(group.dataset.stroke)][0]][2]];
    if (tip) group.prepend(make("title", {}, tip));
  }

  const told = (p) => [p.tip, ...p.facts.map(([what, said]) => `${texts[what]}: ${texts[said]}`)].join("\n");

  function dot([strand, cx, cy]) {
    return make("circle", { class: `dot ${STRANDS[strand]}`, cx, cy, r: strand ? 4 : 3 });
  }

  // All that is in a picture: where it is, and what makes it.
  function parts() {
    const found = plates.map((p) => [p.left, p.top, p.left + p.width, p.top + p.height, () => p.group]);
    picture.strokes.forEach((row, index) => {
      const [shape, left, top] = row, [a, b, c, d] = extent(shape);
      found.push([left + a, top + b, left + c, top + d, () => layers.strokes.append(stroke(row, index))]);
    });
    for (const row of picture.dots) found.push([row[1], row[2], row[1], row[2], () => layers.dots.append(dot(row))]);
    for (const [text, left, base] of picture.notes) {
      found.push([left, base - LINE, left + 8 * texts[text].length, base, () => layers.notes.append(make("text", { class: "type", x: left, y: base }, texts[text]))]);
    }
    return found;
  }

  // Make what is in sight, and keep the rest for later.
  function fill() {
    const { width, height } = diagram.getBoundingClientRect(), near = MARGIN / scale;
    const [left, top, right, bottom] = [-x / scale - near, -y / scale - near, (width - x) / scale + near, (height - y) / scale + near];
    waiting = waiting.filter(([a, b, c, d, build]) => {
      const out = c < left || a > right || d < top || b > bottom;
      if (!out) build();
      return out;
    });
  }

  function later() {
    const mine = ++round;
    const slice = () => {
      if (mine !== round) return;
      const end = performance.now() + SLICE;
      while (waiting.length && performance.now() < end) waiting.pop()[4]();
      if (waiting.length) setTimeout(slice, PAUSE);
    };
    if (waiting.length) setTimeout(slice, PAUSE);
  }

  function show(next, keep = "", place = move) {
    const before = keep && plates.find((p) => p.box === keep);
    const focused = document.activeElement && document.activeElement.closest("#diagram");
    picture = next;
    plates = picture.plates.map(read);
    marked = new Set();
    layers = Object.fromEntries(LAYERS.map((name) => [name, make("g")]));
    content = make("g", {}, ...LAYERS.map((name) => layers[name]));
    const after = keep && plates.find((p) => p.box === keep);
    if (before && after) {
      x += (before.left - after.left) * scale;
      y += (before.top - after.top) * scale;
    }
    place();
    for (const p of plates) if (p.kind === "frame") p.group;
    waiting = parts();
    fill();
    diagram.replaceChildren(heads(), content);
    stop = null;
    reach(after || reading()[0]);
    if (after && focused) after.group.focus({ preventScroll: true });
    chosen = null;
    select(after || null);
    at("close").disabled = !picture.open.length;
    later();
  }

  // The one box that the tab key comes to.
  function reach(p) {
    if (stop) stop.group.setAttribute("tabindex", -1);
    stop = p;
    if (p) p.group.setAttribute("tabindex", 0);
  }

  function reading() {
    return [...plates].sort((a, b) => a.left - b.left || a.top - b.top);
  }

  // -- which boxes are open ------------------------------------------------------------------------------------------
  const inside = (path, box) => path === box || path.startsWith(`${box}/`);
  const opened = (p) => p.open.map((t) => texts[t]);

  function nearest(wanted, has) {
    let best = null, least = Infinity;
    for (const p of pictures) {
      const open = opened(p);
      if (!has(open)) continue;
      const away = open.filter((t) => !wanted.includes(t)).length + wanted.filter((t) => !open.includes(t)).length;
      if (away < least) [best, least] = [p, away];
    }
    return [best, least];
  }

  function toggle(box) {
    const open = opened(picture), closing = open.includes(box);
    const around = box.split("/").map((_, k, all) => all.slice(0, k + 1).join("/"));
    const wanted = closing ? open.filter((t) => !inside(t, box)) : [...new Set([...open, ...around])];
    const [best, away] = nearest(wanted, closing ? (o) => !o.includes(box) : (o) => o.includes(box));
    if (!best) return say(`the picture in which ${box} is open is not in this file`);
    show(best, box);
    const others = closing ? "" : ", and other boxes were closed or opened: not every set of open boxes is in this file";
    say(`${box} is ${closing ? "closed" : "open"}${away ? others : ""}`);
  }

  function say(text) {
    at("status").textContent = text;
  }

  // -- moving --------------------------------------------------------------------------------------------------------
  function move() {
    content.setAttribute("transform", `translate(${x.toFixed(2)} ${y.toFixed(2)}) scale(${scale.toFixed(4)})`);
  }

  function fit(_, least = 0.02) {
    const { width, height } = diagram.getBoundingClientRect(), [w, h] = picture.size;
    scale = Math.max(least, Math.min(1.5, width / w, height / h));
    [x, y] = [Math.max(0, (width - w * scale) / 2), Math.max(0, (height - h * scale) / 2)];
    fitted = [x, y, scale];
    move();
  }

  // A window of another size shows the whole again, or where the reader has moved, the same middle at the same size.
  function resized() {
    const { width, height } = diagram.getBoundingClientRect(), [w, h] = extentOf;
    extentOf = [width, height];
    if (String(fitted) === String([x, y, scale])) return begin();
    [x, y] = [x + (width - w) / 2, y + (height - h) / 2];
    move();
    fill();
  }

  const begin = () => fit(null, LEGIBLE);

  function zoom(by, px, py) {
    const { width, height } = diagram.getBoundingClientRect();
    const next = Math.max(0.05, Math.min(8, scale * by)), ox = px ?? width / 2, oy = py ?? height / 2;
    [x, y] = [ox - ((ox - x) * next) / scale, oy - ((oy - y) * next) / scale];
    scale = next;
    move();
  }

  function reveal(p) {
    const { width, height } = diagram.getBoundingClientRect();
    const left = x + p.left * scale, top = y + p.top * scale;
    if (left < 0 || top < 0 || left + p.width * scale > width || top + p.height * scale > height) {
      [x, y] = [width / 2 - (p.left + p.width / 2) * scale, height / 2 - (p.top + p.height / 2) * scale];
      move();
      fill();
    }
  }

  const fingers = new Map();
  let dragged = false;

  diagram.addEventListener("wheel", (event) => {
    event.preventDefault();
    const { left, top } = diagram.getBoundingClientRect();
    zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), event.clientX - left, event.clientY - top);
  }, { passive: false });

  diagram.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    if (!fingers.size) dragged = false;
    fingers.set(event.pointerId, [event.clientX, event.clientY, event.clientX, event.clientY]);
  });

  diagram.addEventListener("pointermove", (event) => {
    const was = fingers.get(event.pointerId);
    if (!was) return;
    const [fx, fy, sx, sy] = was, now = [event.clientX, event.clientY];
    if (!dragged && Math.hypot(now[0] - sx, now[1] - sy) < 5) return;
    if (!dragged) {
      dragged = true;
      diagram.setPointerCapture(event.pointerId);
      diagram.classList.add("moving");
    }
    const other = [...fingers].find(([id]) => id !== event.pointerId);
    if (other) {
      const [ox, oy] = other[1], { left, top } = diagram.getBoundingClientRect();
      zoom(Math.hypot(now[0] - ox, now[1] - oy) / Math.max(1, Math.hypot(fx - ox, fy - oy)), (now[0] + ox) / 2 - left, (now[1] + oy) / 2 - top);
    } else {
      x += now[0] - fx;
      y += now[1] - fy;
      move();
    }
    fingers.set(event.pointerId, [...now, sx, sy]);
  });

  for (const end of ["pointerup", "pointercancel"]) {
    window.addEventListener(end, (event) => {
      fingers.delete(event.pointerId);
      diagram.classList.remove("moving");
    });
  }

  // -- selecting -----------------------------------------------------------------------------------------------------
  const plateOf = (node) => {
    const group = node instanceof Element && node.closest("g[data-plate]");
    return group ? plates[Number(group.dataset.plate)] : null;
  };

  function select(p) {
    if (chosen) chosen.group.classList.remove("chosen");
    chosen = p;
    if (p) p.group.classList.add("chosen");
    tell(p);
    wires();
  }

  function tell(p) {
    at("named").textContent = p ? [p.label, p.part].filter(Boolean).join(" · ") : "Nothing selected";
    const rows = p ? [["what", p.tip], ["in", p.path], ...p.facts.map(([what, said]) => [texts[what], texts[said]])] : [];
    at("facts").replaceChildren(...rows.filter(([, said]) => said).flatMap(([what, said]) => [html("dt", what), html("dd", said)]));
  }

  diagram.addEventListener("pointerover", (event) => {
    const p = plateOf(event.target);
    if (p) tell(p);
    titled(event.target);
  });
  diagram.addEventListener("pointerout", () => tell(chosen));
  at("stage").addEventListener("focusin", (event) => {
    const p = plateOf(event.target);
    if (!p || p === chosen) return;
    reach(p);
    select(p);
  });
  diagram.addEventListener("click", (event) => {
    if (dragged) return;
    const p = plateOf(event.target);
    if (!p) return select(null);
    p.group.focus({ preventScroll: true });
    if (p.box) toggle(p.box);
  });

  // -- keys ----------------------------------------------------------------------------------------------------------
  function step(p, key) {
    const row = reading(), k = row.indexOf(p);
    if (key === "ArrowRight" || key === "ArrowLeft") return row[k + (key === "ArrowRight" ? 1 : -1)];
    const sign = key === "ArrowDown" ? 1 : -1, middle = (q) => [q.left + q.width / 2, q.top + q.height / 2], [mx, my] = middle(p);
    const far = (q) => Math.abs(middle(q)[1] - my) + 3 * Math.abs(middle(q)[0] - mx);
    return row.filter((q) => sign * (middle(q)[1] - my) > 1).sort((a, b) => far(a) - far(b))[0];
  }

  diagram.addEventListener("keydown", (event) => {
    const p = plateOf(event.target);
    if (!p || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key.startsWith("Arrow")) {
      event.preventDefault();
      const next = step(p, event.key);
      if (next) {
        next.group.focus({ preventScroll: true });
        reveal(next);
      }
    } else if ((event.key === "Enter" || event.key === " ") && p.box) {
      event.preventDefault();
      toggle(p.box);
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target === query || event.target === slider) return;
    const does = { "/": () => query.focus(), "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8), 0: fit }[event.key];
    if (!does) return;
    event.preventDefault();
    does();
  });

  // -- finding -------------------------------------------------------------------------------------------------------
  const every = [...new Set(pictures.flatMap((p) => p.plates.map(([shape]) => shapes[shape][7])).filter((t) => t >= 0))].map((t) => texts[t]);

  // What stands inside of boxes and is no box itself: generators, by where they stand and what they are called.
  const place = (p) => [p.path, p.label, p.part].join("\n");
  const placed = shapes.map((s, k) => (s.length === 9 ? read([k, 0, 0], k) : null)).filter((p) => p && p.path && !p.box && !["parameter", "input", "output"].includes(p.kind));
  const inner = [...new Map(placed.map((p) => [place(p), p])).values()];

  function found() {
    const word = query.value.trim().toLowerCase();
    if (!word) return [];
    const named = (p) => p.label.toLowerCase() === word;
    const here = reading().filter((p) => `${p.label}\n${p.tip}\n${p.box}`.toLowerCase().includes(word)).sort((a, b) => named(b) - named(a));
    const seen = new Set(plates.map((p) => p.box));
    const hidden = every.filter((box) => !seen.has(box) && box.toLowerCase().includes(word));
    const shown = new Set(plates.map(place)), deep = inner.filter((p) => !shown.has(place(p)) && p.label.toLowerCase().includes(word));
    return [...here.map((p) => ({ plate: p })), ...hidden.map((box) => ({ box })), ...deep.map((p) => ({ box: p.path, within: p }))];
  }

  function mark() {
    const hits = found();
    for (const p of marked) p.group.classList.remove("hit");
    marked = new Set(hits.map((h) => h.plate).filter(Boolean));
    for (const p of marked) if (p.made) p.made.classList.add("hit");
    at("hits").textContent = query.value.trim() ? `${hits.length} found` : "";
    return hits;
  }

  function next(back) {
    const hits = mark();
    if (!hits.length) return;
    hit = (hit + (back ? -1 : 1) + hits.length) % hits.length;
    const { plate: there, box, within } = hits[hit];
    at("hits").textContent = `${hit + 1} of ${hits.length}`;
    if (there) {
      select(there);
      reveal(there);
      return;
    }
    const levels = box.split("/"), around = (within ? levels : levels.slice(0, -1)).map((_, k, all) => all.slice(0, k + 1).join("/"));
    const [best] = nearest(around, (open) => (within || !open.includes(box)) && open.includes(around.at(-1)));
    if (!best) return say(`${box} is in no picture of this file`);
    show(best);
    mark();
    const p = plates.find((q) => (within ? place(q) === place(within) : q.box === box));
    if (p) {
      select(p);
      reveal(p);
    }
  }

  query.addEventListener("input", () => {
    hit = -1;
    mark();
  });
  query.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      query.value = "";
      mark();
      if (reading()[0]) (chosen || reading()[0]).group.focus({ preventScroll: true });
    }
    if (event.key === "Enter") {
      event.preventDefault();
      next(event.shiftKey);
    }
  });
  at("find").addEventListener("submit", (event) => event.preventDefault());

  // -- buttons -------------------------------------------------------------------------------------------------------
  const ways = [...document.querySelectorAll("[data-way]")];
  const comesBack = pictures[0].strokes.some(([shape]) => shapes[shape][0] === 1);
  for (const button of ways) {
    button.disabled = !comesBack && button.dataset.way !== "both";
    button.addEventListener("click", () => {
      for (const other of ways) other.setAttribute("aria-pressed", String(other === button));
      diagram.classList.toggle("only-ahead", button.dataset.way === "ahead");
      diagram.classList.toggle("only-back", button.dataset.way === "back");
    });
  }
  at("larger").addEventListener("click", () => zoom(1.25));
  at("smaller").addEventListener("click", () => zoom(0.8));
  at("fit").addEventListener("click", fit);
  at("close").addEventListener("click", () => {
    show(pictures[0], "", begin);
    say("all boxes are closed");
  });
  at("open").addEventListener("click", () => {
    show(pictures.reduce((a, b) => (b.open.length > a.open.length ? b : a)), "", begin);
    say(picture.open.length === 1 ? "one box is open" : `${picture.open.length} boxes are open`);
  });
  at("open").disabled = pictures.length < 2;

  const theme = at("theme"), prefers = window.matchMedia("(prefers-color-scheme: dark)");
  const dark = () => (document.documentElement.dataset.theme || (prefers.matches ? "dark" : "light")) === "dark";
  const named = () => { theme.textContent = dark() ? "light" : "dark"; };
  theme.addEventListener("click", () => {
    document.documentElement.dataset.theme = dark() ? "light" : "dark";
    named();
  });
  prefers.addEventListener("change", named);

  // -- the run -------------------------------------------------------------------------------------------------------
  const said = (v) => (v === null || v === undefined ? "–" : String(Number(v.toPrecision(4))));

  function line(values, low, high, width, height, name) {
    const span = high - low || 1, across = Math.max(1, values.length - 1);
    let pen = "M", d = "";
    values.forEach((v, k) => {
      if (v === null) pen = "M";
      else {
        d += `${pen}${((k / across) * width).toFixed(1)} ${(height - ((v - low) / span) * height).toFixed(1)}`;
        pen = "L";
      }
    });
    if (!d.includes("L") && d) d += "h3";
    return make("path", { class: `curve ${name}`, d });
  }

  function curves() {
    const names = Object.keys(data.history);
    if (!names.length) return;
    at("curves").hidden = false;
    at("curves").append(html("h2", "Epochs"));
    for (const name of names.filter((n) => !(n.startsWith("val_") && names.includes(n.slice(4))))) {
      const both = [data.history[name], data.history[`val_${name}`]].filter(Boolean);
      const known = both.flat().filter((v) => v !== null), low = Math.min(...known), high = Math.max(...known);
      if (!known.length) continue;
      const width = 250, height = 80, drawn = make("svg", { viewBox: `-2 -6 ${width + 60} ${height + 12}`, width: "100%", role: "img" });
      drawn.setAttribute("aria-label", `${name}: ${said(both[0][0])} at first, ${said(both[0].at(-1))} at last`);
      drawn.append(make("path", { class: "axis", d: `M0 0V${height}H${width}` }));
      both.forEach((values, k) => drawn.append(line(values, low, high, width, height, k ? "second" : "first")));
      drawn.append(make("text", { class: "scale", x: width + 4, y: 8 }, said(high)), make("text", { class: "scale", x: width + 4, y: height }, said(low)));
      const figure = html("figure"), words = `${name} ${said(both[0].at(-1))}${both[1] ? `, validation (dashed) ${said(both[1].at(-1))}` : ""}`;
      figure.append(html("figcaption", words), drawn);
      at("curves").append(figure);
    }
  }

  function bars(counts, name) {
    const width = 96, height = 26, most = Math.max(1, ...counts), each = width / counts.length, wide = Math.max(0.5, each - 0.5);
    const one = (c, k) => (c ? `M${(k * each).toFixed(1)} ${height}v${(-(c / most) * height).toFixed(1)}h${wide.toFixed(1)}V${height}z` : "");
    const drawn = make("svg", { viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true" });
    drawn.append(make("path", { class: `${name}-bar`, d: counts.map(one).join("") }));
    return drawn;
  }

  function figures(k, side) {
    const one = data.records.steps[Number(slider.value)][side][k];
    if (!one) return null;
    const [mean, norm, zeros, low, high, odd, counts] = one, flows = side === 2 ? "ahead" : "back";
    const row = html("div", "", { class: "figures" });
    const norms = data.records.steps.map((s) => (s[side][k] ? s[side][k][1] : null)), known = norms.filter((v) => v !== null);
    const spark = make("svg", { viewBox: "-1 -2 52 26", width: 52, height: 26, "aria-hidden": "true" });
    spark.append(line(norms, Math.min(...known), Math.max(...known), 50, 22, side === 2 ? "first" : "second"));
    const text = `${side === 2 ? "→" : "←"} mean ${said(mean)}, norm ${said(norm)}, zeros ${said(100 * zeros)} %, from ${said(low)} to ${said(high)}`;
    row.append(bars(counts, flows), spark, html("span", odd ? `${text}, ${odd} not finite` : text));
    return row;
  }

  const blocks = new Map();  // what is shown of each wire at the step of the slider, by its number

  function block(name, k) {
    if (!blocks.has(k)) {
      const made = html("div", "", { class: "wire" });
      made.append(html("h3", name), ...[2, 3].map((side) => figures(k, side)).filter(Boolean));
      blocks.set(k, made);
    }
    return blocks.get(k);
  }

  function wires() {
    const { wires: names, steps, each } = data.records;
    if (!steps.length) return;
    const [number, epoch] = steps[Number(slider.value)];
    at("when").textContent = `step ${number}, epoch ${epoch + 1}`;
    slider.setAttribute("aria-valuetext", at("when").textContent);
    const about = chosen && (chosen.box || (chosen.kind === "parameter" ? chosen.tip : chosen.path));
    const of = (n) => about.split("\n").some((t) => inside(n, t) || n === t.split(" : ")[0]);
    const some = about ? names.filter(of) : names, kept = some.length ? some : names;
    const thin = each > 1 ? ` One record in ${each} is in this file.` : "";
    const left = kept.length > MOST_WIRES ? ` ${kept.length - MOST_WIRES} more: select a box.` : "";
    at("which").textContent = `${some.length && about ? `${kept.length} of ${names.length} wires, at what is selected.` : `${names.length} wires.`}${thin}${left}`;
    at("wires").replaceChildren(...kept.slice(0, MOST_WIRES).map((n) => block(n, names.indexOf(n))));
  }

  at("records").hidden = !data.records.steps.length;
  slider.max = Math.max(0, data.records.steps.length - 1);
  slider.addEventListener("input", () => {
    blocks.clear();
    wires();
  });

  named();
  curves();
  show(pictures[0], "", begin);
  say(data.full ? "" : `${pictures.length} sets of open boxes are in this file`);
  extentOf = [diagram.clientWidth, diagram.clientHeight];
  window.addEventListener("resize", resized);
})();
