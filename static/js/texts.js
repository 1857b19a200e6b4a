// The few texts that the browser itself says, handed over by the server in its language.

/** @type {Record<string, string>} */
const texts = JSON.parse(document.body.dataset.texts ?? "{}");

/**
 * Fills the places of a text.
 * @param {string} name
 * @param {Record<string, string | number>} [places]
 * @returns {string}
 */
export function say(name, places = {}) {
  return (texts[name] ?? "").replace(/\{(\w+)\}/g, (all, place) => String(places[place] ?? all));
}

/**
 * Says something to those who listen to the page instead of looking at it. What is said
 * in the same breath is said together.
 * @param {string} text
 */
export function announce(text) {
  const at = document.getElementById("announcer");
  if (!at || !text) return;
  waiting.push(text);
  if (waiting.length > 1) return;
  setTimeout(() => {
    at.textContent = waiting.slice(-3).join(" ");
    waiting.length = 0;
  }, 700);
}

/** @type {string[]} */
const waiting = [];
