// A flame graph: a tree of boxes as wide as the time they took, each below the one around it.
"use strict";
{
  const section = document.currentScript.closest(".flames");
  const part = (name) => section.querySelector(`.flames-${name}`);
  const graph = part("graph"), search = part("search"), reset = part("reset");

  const boxes = read(JSON.parse(part("data").textContent));
  const all = boxes[0];
  let zoomed = all, current = all, found = new Set();
  const elements = new Map();  // of the boxes that are drawn

  // Columns with an item for each box, a box before those inside it.
  function read({ frames, frame, depth, seconds }) {
    const path = [];
    return depth.map((level, at) => {
      const around = path[level - 1] ?? null;
      const began = around ? around.filled : 0;
      const box = {
        name: frames[frame[at]], depth: level, seconds: seconds[at], began, filled: began,
        around, inner: [], place: around ? around.inner.length : 0,
      };
      if (around) {
        around.filled += box.seconds;
        around.inner.push(box);
      }
      return (path[level] = box);
    });
  }

  function outwards(box) {
    const path = [];
    for (let one = box.around; one; one = one.around) path.push(one);
    return path;
  }

  function inwards(box, least) {
    const drawn = [], waiting = [box];
    while (waiting.length) {
      const one = waiting.pop();
      drawn.push(one);
      for (let at = one.inner.length - 1; at >= 0; at--)
        if (one.inner[at].seconds >= least) waiting.push(one.inner[at]);
    }
    return drawn;
  }

  function draw() {
    const pixel = zoomed.seconds / Math.max(graph.clientWidth, 1);
    const around = outwards(zoomed).reverse(), drawn = [...around, ...inwards(zoomed, 0.7 * pixel)];
    elements.clear();
    drawn.forEach((box, at) => elements.set(box, element(box, at < around.length, pixel)));
    graph.replaceChildren(...elements.values());
    const deepest = drawn.reduce((most, box) => Math.max(most, box.depth), 0);
    graph.style.height = `calc(${deepest + 1} * var(--row))`;
    reset.disabled = zoomed === all;
    choose(elements.has(current) ? current : zoomed);
  }

  function element(box, isAround, pixel) {
    const made = document.createElement("div");
    made.className = "flame";
    made.classList.toggle("around", isAround);
    made.classList.toggle("whole", box === all);
    made.classList.toggle("found", found.has(box));
    const left = isAround ? 0 : (box.began - zoomed.began) / zoomed.seconds;
    const width = isAround ? 1 : box.seconds / zoomed.seconds;
    made.style.cssText = `left:${100 * left}%;width:${100 * width}%;top:calc(${box.depth} * var(--row));--hue:${hue(box.name)}`;
    if (box.seconds < 2.5 * pixel) made.style.borderWidth = "0";
    if (isAround || box.seconds > 24 * pixel) made.append(box.name, muted(`  ${duration(box.seconds)}`));
    else made.style.padding = "0";
    made.tabIndex = -1;
    made.setAttribute("role", "treeitem");
    made.setAttribute("aria-level", box.depth + 1);
    made.setAttribute("aria-label", `${box.name}, ${duration(box.seconds)}, ${share(box, all)}`);
    if (box.inner.length) made.setAttribute("aria-expanded", "true");
    made.box = box;
    return made;
  }

  function muted(text) {
    const made = document.createElement("span");
    made.className = "muted";
    made.textContent = text;
    return made;
  }

  // One colour for a file or a kind of operation: what a name begins with, up to its first number.
  function hue(name) {
    let hash = 2166136261;  // FNV-1a
    for (const letter of name.split(/[\d:.(]/)[0] || name)
      hash = Math.imul(hash ^ letter.codePointAt(0), 16777619);
    return (hash >>> 0) % 360;
  }

  function duration(seconds) {
    const [unit, one] = [["s", 1], ["ms", 1e-3], ["µs", 1e-6]].find(([, one]) => seconds >= one) ?? ["ns", 1e-9];
    return `${Number((seconds / one).toPrecision(3))} ${unit}`;
  }

  function share(box, whole) {
    const percent = 100 * box.seconds / whole.seconds;
    return `${percent < 0.1 ? "< 0.1" : percent.toFixed(1)} %`;
  }

  function tell(box) {
    const own = box.seconds - (box.filled - box.began);
    const parts = [duration(box.seconds)];
    if (box !== all) parts.push(`${share(box, all)} of all`);
    if (box.around && box.around !== all) parts.push(`${share(box, box.around)} of ${box.around.name}`);
    if (box.inner.length && own > 1e-3 * box.seconds) parts.push(`${duration(own)} of it itself`);
    const name = document.createElement("strong");
    name.textContent = box.name;
    part("told").replaceChildren(name, document.createElement("br"), parts.join(" · "));
  }

  // The box that the keyboard is at: the only one that Tab stops at.
  function choose(box) {
    elements.get(current)?.setAttribute("tabindex", "-1");
    current = box;
    elements.get(box).setAttribute("tabindex", "0");
    tell(box);
  }

  function zoom(box) {
    const hadFocus = graph.contains(document.activeElement);
    zoomed = current = box;
    draw();
    if (hadFocus) elements.get(box).focus();
  }

  function go(box) {
    if (!box) return;
    if (!elements.has(box)) zoom(box.around);
    if (!elements.has(box)) zoom(box);
    elements.get(box).focus();
  }

  // The next box to the right, or with -1 to the left, that is as deep.
  function beside(box, step) {
    const level = [...elements.keys()].filter((one) => one.depth === box.depth);
    return level[level.indexOf(box) + step];
  }

  function find() {
    const wanted = search.value.trim().toLowerCase();
    found = new Set(wanted ? boxes.filter((box) => box !== all && box.name.toLowerCase().includes(wanted)) : []);
    graph.classList.toggle("searching", Boolean(wanted));
    const outermost = [...found].filter((box) => !outwards(box).some((one) => found.has(one)));
    const seconds = outermost.reduce((sum, box) => sum + box.seconds, 0);
    const told = `${found.size} ${found.size === 1 ? "box" : "boxes"}, ${duration(seconds)}, ${share({ seconds }, all)}`;
    part("found").textContent = wanted ? (found.size ? told : "nothing found") : "";
    for (const [box, made] of elements) made.classList.toggle("found", found.has(box));
  }

  const under = (event) => event.target.closest(".flame")?.box;
  graph.addEventListener("click", (event) => under(event) && zoom(under(event)));
  graph.addEventListener("mouseover", (event) => under(event) && tell(under(event)));
  graph.addEventListener("mouseleave", () => tell(current));
  graph.addEventListener("focusin", (event) => under(event) && choose(under(event)));
  reset.addEventListener("click", () => zoom(all));
  search.addEventListener("input", find);
  addEventListener("resize", draw);

  const keys = {
    ArrowUp: () => go(current.around),
    ArrowDown: () => go(current.inner[0]),
    ArrowLeft: () => go(beside(current, -1)),
    ArrowRight: () => go(beside(current, 1)),
    Home: () => go(all),
    Enter: () => zoom(current),
    " ": () => zoom(current),
  };
  graph.addEventListener("keydown", (event) => {
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    keys[event.key]();
  });
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") go([...found].sort((one, other) => other.seconds - one.seconds)[0]);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") zoom(all);
    if (event.key !== "/" || event.target === search) return;
    event.preventDefault();
    search.focus();
  });

  draw();
}
