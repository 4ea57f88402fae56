/** Building the page: whatever is shown is text, never markup. */

/** @typedef {Node | string | number | null | undefined | false} Child */

/**
 * Makes an element. A property that begins with `on` is a listener; `class` and all else are attributes;
 * `true` is an attribute without a value, and what is not there is left out.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Readonly<Record<string, unknown>>} [properties]
 * @param {...(Child | readonly Child[])} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) {
      element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    } else {
      element.setAttribute(name, value === true ? '' : String(value));
    }
  }
  fill(element, ...children);
  return element;
}

/**
 * Puts these in the place of all that is in it.
 *
 * @param {Element} element
 * @param {...(Child | readonly Child[])} children
 */
export function fill(element, ...children) {
  const nodes = children
    .flat()
    .filter((child) => child !== null && child !== undefined && child !== false && child !== '')
    .map((child) => (child instanceof Node ? child : String(child)));
  element.replaceChildren(...nodes);
}

/**
 * The element with this id.
 *
 * @template {HTMLElement} [Kind=HTMLElement]
 * @param {string} id
 * @param {new () => Kind} [kind]
 * @returns {Kind}
 */
export function byId(id, kind) {
  const element = document.getElementById(id);
  const expected = kind ?? HTMLElement;
  if (!(element instanceof expected)) throw new Error(`the page has no ${expected.name} #${id}`);
  return /** @type {Kind} */ (element);
}

/**
 * Writes a text where it is another one, so that nobody is told the same thing twice.
 *
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Makes a function that puts off changes to an element while somebody presses on it: a click is only one where
 * what was pressed is still there when it is let go. Of changes with one name, only the latest is made.
 *
 * @param {HTMLElement} element
 * @returns {(name: string, change: () => void) => void}
 */
export function unlessPressed(element) {
  let isPressed = false;
  /** @type {Map<string, () => void>} */
  const putOff = new Map();
  const letGo = () => {
    isPressed = false;
    // The click comes after this event.
    setTimeout(() => {
      const changes = [...putOff.values()];
      putOff.clear();
      for (const change of changes) change();
    }, 0);
  };
  element.addEventListener('pointerdown', ({ button }) => {
    // A menu that another button opens may swallow that it is let go.
    isPressed = button === 0;
  });
  for (const name of ['pointerup', 'pointercancel']) document.addEventListener(name, letGo);
  return (name, change) => {
    if (isPressed) putOff.set(name, change);
    else change();
  };
}
