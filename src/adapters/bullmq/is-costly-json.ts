/** Deeper than any report or bundle, whatever its texts hold. */
const MAX_DEPTH = 16;

/** More objects, arrays, members and elements than any report or bundle has. */
const MAX_PARTS = 10_000;

/** Whatever a text of up to so many characters holds takes a few mebibytes when it is parsed. */
const HARMLESS_LENGTH = 65_536;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);
/** Comma and colon: with each of them comes one more value or name. */
const PARTING = new Set([0x2c, 0x3a]);

/**
 * Whether a text of JSON would take far more room when it is parsed than it takes as a text: each bracket is a byte
 * there, and tens of bytes as an object. Found out without parsing, in room that does not grow with the text.
 */
export function isCostlyJson(text: string): boolean {
  return text.length > HARMLESS_LENGTH && hasManyParts(text);
}

function hasManyParts(text: string): boolean {
  let depth = 0;
  let parts = 0;
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
      parts += 1;
    } else if (PARTING.has(code)) parts += 1;
    if (depth > MAX_DEPTH || parts > MAX_PARTS) return true;
  }
  return false;
}
