// Lays a new version of a piece of the page over the old one, changing only what
// differs: focus, scroll and selection stay where they are.

/**
 * @param {Element} old
 * @param {Element} fresh
 */
export function patch(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  patchChildren(old, fresh);
}

/**
 * @param {Element} old
 * @param {Element} fresh
 */
export function patchChildren(old, fresh) {
  const keyed = new Map();
  for (const child of old.children) {
    const key = keyOf(child);
    if (key) keyed.set(key, child);
  }
  let at = old.firstChild;
  for (const want of [...fresh.childNodes]) {
    const key = keyOf(want);
    let have = key ? keyed.get(key) : at;
    if (!key && have && keyOf(have)) have = null;
    if (have && sameKind(have, want)) {
      if (have !== at) old.insertBefore(have, at); else at = at?.nextSibling ?? null;
      if (have instanceof Element) patch(have, /** @type {Element} */ (want));
      else if (have.nodeValue !== want.nodeValue) have.nodeValue = want.nodeValue;
    } else {
      old.insertBefore(document.importNode(want, true), at);
    }
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

/** @param {Node} node */
function keyOf(node) { return node instanceof Element ? node.getAttribute("data-key") : null; }

/** @param {Node} a @param {Node} b */
function sameKind(a, b) { return a.nodeType === b.nodeType && a.nodeName === b.nodeName; }
