/** The graph of an operation's neighbours as a picture whose nodes are buttons. */
import * as dagre from "@dagrejs/dagre";

import { el } from "./dom.ts";
import type { Graph } from "./graph.ts";

export interface Label {
  title: string;
  below: string;
}

interface Point {
  x: number;
  y: number;
}

interface Box {
  line: number;
  label: Label;
  x: number;
  y: number;
  width: number;
}

const HEIGHT = 40;
const MARGIN = 8;
/** Of a character in the picture's font, in pixels. */
const WIDTH = 7.3;
const LONGEST = 34;
const DIRECTIONS: Record<string, [x: number, y: number]> = {
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
};

/** Operands above, users below. `choose` gets the line of a node that is clicked. */
export function drawing(graph: Graph, label: (line: number) => Label, choose: (line: number) => void): SVGElement {
  const laid = layout(graph, label);
  const svg = shape("svg", { role: "group", "aria-label": "Operands and users" });
  const lines = laid.edges().map((edge): Point[] => laid.edge(edge).points);
  svg.append(...lines.map(line));
  const boxes = graph.nodes.map((one): Box => ({ ...(laid.node(String(one)) as unknown as Box), line: one, label: label(one) }));
  frame(svg, boxes, lines.flat());
  const nodes = boxes.map((box) => node(box, box.line === graph.nodes[0], choose));
  svg.append(...nodes);
  nodes.forEach((made, at) => made.addEventListener("keydown", (event) => move(event, boxes, nodes, at)));
  return svg;
}

function layout(graph: Graph, label: (line: number) => Label) {
  const made = new dagre.graphlib.Graph().setGraph({ rankdir: "TB", nodesep: 16, ranksep: 34 });
  made.setDefaultEdgeLabel(() => ({}));
  for (const one of graph.nodes) {
    const { title, below } = label(one);
    const length = Math.min(Math.max(title.length, below.length), LONGEST);
    made.setNode(String(one), { width: length * WIDTH + 20, height: HEIGHT });
  }
  for (const [operand, user] of graph.edges) made.setEdge(String(operand), String(user));
  dagre.layout(made);
  return made;
}

/** Around all nodes and lines; the layout's own size leaves out lines that pass beside the nodes. */
function frame(svg: SVGElement, boxes: Box[], points: Point[]): void {
  const xs = [...boxes.flatMap(({ x, width }) => [x - width / 2, x + width / 2]), ...points.map(({ x }) => x)];
  const [left, right] = [Math.min(...xs) - MARGIN, Math.max(...xs) + MARGIN];
  const bottom = Math.max(...boxes.map(({ y }) => y)) + HEIGHT / 2 + MARGIN;
  svg.setAttribute("viewBox", `${left} ${-MARGIN} ${right - left} ${bottom + MARGIN}`);
  svg.style.width = `${right - left}px`;
}

function line(points: Point[]): SVGElement {
  return shape("path", { class: "edge", d: `M${points.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join("L")}` });
}

function node(box: Box, isCentre: boolean, choose: (line: number) => void): SVGElement {
  const { title, below } = box.label;
  const name = [title, below].filter(Boolean).join(", ");
  const made = shape("g", { class: isCentre ? "node centre" : "node", role: "button", tabindex: "0", "aria-label": name });
  if (isCentre) made.setAttribute("aria-current", "true");
  const [x, y] = [box.x - box.width / 2, box.y - HEIGHT / 2];
  const rect = shape("rect", { x: String(x), y: String(y), width: String(box.width), height: String(HEIGHT), rx: "5" });
  const full = shape("title", {});
  full.append(`${title}\n${below}`);
  made.append(full, rect, text(title, box.x, box.y - 4, "title"), text(below, box.x, box.y + 12, "below"));
  made.addEventListener("click", () => choose(box.line));
  made.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    choose(box.line);
  });
  return made;
}

function text(words: string, x: number, y: number, name: string): SVGElement {
  const made = shape("text", { x: String(x), y: String(y), class: name });
  made.append(words.length > LONGEST ? `${words.slice(0, LONGEST - 1)}…` : words);
  return made;
}

/** With an arrow key to the nearest node in its direction. */
function move(event: KeyboardEvent, boxes: Box[], nodes: SVGElement[], at: number): void {
  const direction = DIRECTIONS[event.key];
  if (!direction) return;
  event.preventDefault();
  const [x, y] = direction;
  const here = boxes[at]!;
  const far = (box: Box) => {
    const [dx, dy] = [box.x - here.x, box.y - here.y];
    const along = dx * x + dy * y;
    return along > 1 ? along + 2 * Math.abs(dx * y + dy * x) : Infinity;
  };
  const best = boxes.map(far).reduce((best, distance, index, all) => (distance < all[best]! ? index : best), at);
  nodes[best]!.focus();
}

function shape(tag: string, attributes: Record<string, string>): SVGElement {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

/** What a picture has no room for. */
export function caption(graph: Graph): HTMLElement {
  const left = graph.left ? ` ${graph.left.toLocaleString("en")} more are not drawn.` : "";
  return el("p", { class: "muted" }, `Operands above, users below, two steps each way.${left} Click one, or use the arrow keys and Enter.`);
}
