/** Turns tokens into plain values, for fields that take whatever JSON they are given. */
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

/** True for an object that is neither null nor an array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Merges `change` into `target` as an Elasticsearch partial update does: objects member by member,
 * everything else replaced (general knowledge of Elasticsearch: `XContentHelper.update`). Objects
 * inside `target` are copied rather than changed, since documents share them.
 */
export function mergeInto(target: JsonObject, change: JsonObject): void {
  for (const name in change) {
    const value = change[name];
    const present = Object.hasOwn(target, name) ? target[name] : undefined;
    if (isObject(present) && isObject(value)) {
      const merged = { ...present };
      mergeInto(merged, value);
      setOwn(target, name, merged);
    } else setOwn(target, name, value);
  }
}
