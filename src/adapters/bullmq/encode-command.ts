/**
 * Commands in Redis' own form, RESP: `*<parts>`, and for each part `$<bytes>` and the part, each line ended by CR LF.
 *
 * Many commands share one piece of memory, and each part is written into it once. ioredis measures each part of a
 * command with bytes in it three times and makes a buffer of its own for each command.
 */

/** What a command is made of. */
export type CommandPart = string | Uint8Array;

/** Memory that is taken at once, in bytes; a command that may not fit into a fresh one gets its own. */
const SLAB_BYTES = 64 * 1024;

/** Most bytes of a character of UTF-16 in UTF-8. */
const MOST_BYTES_A_CHARACTER = 3;

/** Most bytes of a length with its sign and its ends of line. */
const FRAME_BYTES = 16;

const CR = 0x0d;
const LF = 0x0a;
const ASTERISK = 0x2a;
const DOLLAR = 0x24;
const ZERO = 0x30;

let slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
let used = 0;

/**
 * The bytes of one command; nobody else's are written over them.
 *
 * @param head what it begins with, kept apart so that callers need not join the two
 */
export function encodeCommand(head: readonly CommandPart[], parts: readonly CommandPart[]): Buffer {
  const most = FRAME_BYTES + mostBytesOf(head) + mostBytesOf(parts);
  if (most > SLAB_BYTES) {
    const own = Buffer.allocUnsafeSlow(most);
    return own.subarray(0, writeCommand(own, 0, head, parts));
  }
  if (used + most > SLAB_BYTES) {
    slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
    used = 0;
  }
  const from = used;
  used = writeCommand(slab, from, head, parts);
  return slab.subarray(from, used);
}

function mostBytesOf(parts: readonly CommandPart[]): number {
  let most = 0;
  for (const part of parts) {
    most += FRAME_BYTES + part.length * (typeof part === 'string' ? MOST_BYTES_A_CHARACTER : 1);
  }
  return most;
}

/** Each of these returns where it has stopped. */
function writeCommand(
  target: Buffer,
  at: number,
  head: readonly CommandPart[],
  parts: readonly CommandPart[],
): number {
  let next = writeLength(target, at, ASTERISK, head.length + parts.length);
  for (const part of head) next = writePart(target, next, part);
  for (const part of parts) next = writePart(target, next, part);
  return next;
}

function writePart(target: Buffer, at: number, part: CommandPart): number {
  let next = writeLength(target, at, DOLLAR, part.length);
  if (typeof part === 'string') {
    // Nearly all is ASCII, where the bytes are as many as the characters.
    let bytes = target.write(part, next);
    if (bytes !== part.length) {
      next = writeLength(target, at, DOLLAR, bytes);
      bytes = target.write(part, next);
    }
    next += bytes;
  } else {
    target.set(part, next);
    next += part.length;
  }
  return writeEnd(target, next);
}

function writeLength(target: Buffer, at: number, sign: number, length: number): number {
  target[at] = sign;
  let digits = 1;
  for (let rest = length; rest >= 10; rest = Math.floor(rest / 10)) digits += 1;
  const end = at + 1 + digits;
  for (let place = end - 1, rest = length; place > at; place -= 1) {
    target[place] = ZERO + (rest % 10);
    rest = Math.floor(rest / 10);
  }
  return writeEnd(target, end);
}

function writeEnd(target: Buffer, at: number): number {
  target[at] = CR;
  target[at + 1] = LF;
  return at + 2;
}
