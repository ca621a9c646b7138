// Draws what a screen describes and changes only what differs, so focus, typing and scroll survive.
// Words go in as text nodes only: nothing that was typed or received is ever read as markup.

const SVG = "http://www.w3.org/2000/svg";
const SHAPES = new Set(["svg", "path", "circle", "rect", "g"]);
const OURS = new Set(["key", "modal", "focus", "value", "checked"]);

// A description of an element. Functions named on… are its handlers; `key` (or `id`) tells it apart
// from its sisters; `focus` takes the focus when it appears; `modal` opens a dialog over the page.
export function h(tag, props, ...kids) {
  return { tag, props: props ?? {}, kids: kids.flat(Infinity).filter(shown), key: props?.key ?? props?.id ?? null };
}

// A node made elsewhere (a receipt, a code to scan), shown as it is.
export function own(node, key) {
  return { node, key };
}

export function draw(parent, wanted) {
  const list = [wanted].flat(Infinity).filter(shown);
  const keyed = new Map();
  const loose = [];
  for (const node of parent.childNodes) {
    if (node.tillKey === undefined || node.tillKey === null) loose.push(node);
    else keyed.set(node.tillKey, node);
  }
  const later = [];
  const nodes = list.map((want) => place(want, keyed, loose, later));
  const kept = new Set(nodes);
  for (const node of [...parent.childNodes]) if (!kept.has(node)) node.remove();
  let next = parent.firstChild;
  for (const node of nodes) {
    if (node === next) next = next.nextSibling;
    else parent.insertBefore(node, next);
  }
  for (const act of later) act();
}

function shown(kid) {
  return kid !== null && kid !== undefined && kid !== false && kid !== true && kid !== "";
}

function place(want, keyed, loose, later) {
  if (want.node) {
    want.node.tillKey = want.key ?? null;
    return want.node;
  }
  let node;
  const key = want.key ?? null;
  if (key !== null) {
    node = keyed.get(key);
    if (node && !fits(node, want)) node = undefined;
  } else {
    const at = loose.findIndex((old) => fits(old, want));
    if (at >= 0) node = loose.splice(0, at + 1).pop();
  }
  if (!node) {
    node = make(want);
    const { modal, focus } = want.props ?? {};
    if (modal) later.push(() => node.isConnected && !node.open && node.showModal());
    if (focus) later.push(() => node.focus({ preventScroll: true }));
  }
  update(node, want);
  return node;
}

function fits(node, want) {
  if (want.tag === undefined) return node.nodeType === Node.TEXT_NODE;
  return node.localName === want.tag && (node.tillKey ?? null) === want.key;
}

function make(want) {
  if (want.tag === undefined) return document.createTextNode("");
  const node = SHAPES.has(want.tag) ? document.createElementNS(SVG, want.tag) : document.createElement(want.tag);
  node.tillKey = want.key;
  return node;
}

function update(node, want) {
  if (want.tag === undefined) {
    const words = String(want);
    if (node.data !== words) node.data = words;
    return;
  }
  const before = node.tillProps ?? {};
  const now = want.props;
  for (const name of Object.keys(before)) if (!(name in now)) set(node, name, null);
  for (const [name, value] of Object.entries(now)) {
    if (before[name] !== value) set(node, name, value);
  }
  node.tillProps = now;
  draw(node, want.kids);
  if ("value" in now && node.value !== String(now.value)) node.value = now.value;
  if ("checked" in now) node.checked = now.checked;
}

function set(node, name, value) {
  if (OURS.has(name)) return;
  if (name.startsWith("on")) node[name] = value;
  else if (value === null || value === undefined || value === false) node.removeAttribute(name);
  else node.setAttribute(name, value === true ? "" : String(value));
}
