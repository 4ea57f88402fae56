/** Deeper than any report or bundle, whatever its texts hold. */
const MAX_DEPTH = 16;

/** More objects and arrays than any report or bundle has. */
const MAX_CONTAINERS = 10_000;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

/**
 * Whether a text of JSON would take far more room when it is parsed than it takes as a text: each bracket is a byte
 * there, and tens of bytes as an object. Found out without parsing, in room that does not grow with the text.
 */
export function isCostlyJson(text: string): boolean {
  let depth = 0;
  let containers = 0;
  let isInString = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (isInString) {
      if (code === BACKSLASH) at += 1;
      else if (code === QUOTE) isInString = false;
    } else if (code === QUOTE) isInString = true;
    else if (CLOSING.has(code)) depth -= 1;
    else if (OPENING.has(code)) {
      depth += 1;
      containers += 1;
      if (depth > MAX_DEPTH || containers > MAX_CONTAINERS) return true;
    }
  }
  return false;
}
