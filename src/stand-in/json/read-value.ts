/** Turns tokens into plain values, for fields that take whatever JSON they are given. */
import { isDeepStrictEqual } from 'node:util';
import type { TokenReader } from './token-reader.ts';

/** A JSON object whose keys are data, `__proto__` included. */
export type JsonObject = Record<string, unknown>;

/** Reads the value whose first token is current; ends on its last token. */
export function readValue(reader: TokenReader): unknown {
  switch (reader.token) {
    case 'START_OBJECT': {
      const object: JsonObject = {};
      while (reader.next() !== 'END_OBJECT') {
        const name = reader.text;
        reader.next();
        setOwn(object, name, readValue(reader));
      }
      return object;
    }
    case 'START_ARRAY': {
      const array: unknown[] = [];
      while (reader.next() !== 'END_ARRAY') array.push(readValue(reader));
      return array;
    }
    case 'VALUE_STRING':
      return reader.text;
    case 'VALUE_NUMBER':
      return Number(reader.text);
    case 'VALUE_BOOLEAN':
      return reader.boolean;
    default:
      return null;
  }
}

/** Sets a property that is data even where its name means something to JavaScript. */
export function setOwn(object: JsonObject, name: string, value: unknown): void {
  if (name !== '__proto__') object[name] = value;
  else Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
}

/** True for an object that is neither null nor an array nor a {@link Decimal}. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Decimal);
}

/** A number that is written with its decimal point even where it is whole, as Java writes doubles. */
export class Decimal {
  readonly #value: number;

  /** @param value - A whole number. */
  constructor(value: number) {
    this.#value = value;
  }

  /** What JSON.stringify writes. */
  toJSON(): unknown {
    return rawJson(this.#value.toFixed(1));
  }
}

/** `JSON.rawJSON`, which the type library does not know yet. */
const { rawJSON: rawJson } = JSON as unknown as { readonly rawJSON: (text: string) => unknown };

/**
 * Merges `change` into `target` as an Elasticsearch partial update does: objects member by member,
 * everything else replaced (general knowledge of Elasticsearch: `XContentHelper.update`). Objects
 * inside `target` are copied rather than changed, since documents share them.
 *
 * @returns Whether anything is different now.
 */
export function mergeInto(target: JsonObject, change: JsonObject): boolean {
  let changed = false;
  for (const name of Object.keys(change)) {
    const value = change[name];
    const isPresent = Object.hasOwn(target, name);
    const present = isPresent ? target[name] : undefined;
    if (isObject(present) && isObject(value)) {
      const merged = { ...present };
      if (!mergeInto(merged, value)) continue;
      setOwn(target, name, merged);
    } else {
      if (isPresent && isSame(present, value)) continue;
      setOwn(target, name, value);
    }
    changed = true;
  }
  return changed;
}

function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  return typeof a === 'object' && typeof b === 'object' && isDeepStrictEqual(a, b);
}
