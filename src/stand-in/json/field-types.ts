/**
 * The kinds of fields Elasticsearch's parsers know, with the tokens each takes and the leniency it
 * shows (general knowledge of Elasticsearch: `ObjectParser.ValueType`).
 */
import { normalizeInstant } from '../clock.ts';
import { illegalArgument, ServerException } from '../errors/server-exception.ts';
import type { BodyDeclaration, FieldType } from './object-parser.ts';
import { readObject } from './object-parser.ts';
import { type JsonObject, readValue, setOwn } from './read-value.ts';
import type { Token, TokenReader } from './token-reader.ts';

function fieldType(tokens: readonly Token[], read: (reader: TokenReader) => unknown): FieldType {
  return { tokens: new Set(tokens), read };
}

const maxLong = 2n ** 63n - 1n;

/** Text, and nothing else. */
export const string: FieldType = fieldType(['VALUE_STRING'], (reader) => reader.text);

/** Text or null. */
export const stringOrNull: FieldType = fieldType(['VALUE_STRING', 'VALUE_NULL'], (reader) =>
  reader.token === 'VALUE_NULL' ? null : reader.text,
);

/** A whole number, also written as text. */
export const long: FieldType = fieldType(['VALUE_NUMBER', 'VALUE_STRING'], readLong);

/** A whole number of 32 bits, also written as text. */
export const integer: FieldType = fieldType(['VALUE_NUMBER', 'VALUE_STRING'], (reader) => {
  const value = readLong(reader);
  if (value > 2 ** 31 - 1 || value < -(2 ** 31)) {
    throw illegalArgument(`Value [${reader.text}] is out of range for an integer`);
  }
  return value;
});

/** True or false, also written as text. */
export const boolean: FieldType = fieldType(['VALUE_BOOLEAN', 'VALUE_STRING'], (reader) => {
  if (reader.token === 'VALUE_BOOLEAN') return reader.boolean;
  if (reader.text === 'true' || reader.text === 'false') return reader.text === 'true';
  throw illegalArgument(`Failed to parse value [${reader.text}] as only [true] or [false] are allowed.`);
});

/** An object with any members. */
export const object: FieldType = fieldType(['START_OBJECT'], readValue);

/** An object with any members, or null. */
export const objectOrNull: FieldType = fieldType(['START_OBJECT', 'VALUE_NULL'], readValue);

/** Any scalar or null. */
export const scalar: FieldType = fieldType(
  ['VALUE_STRING', 'VALUE_NUMBER', 'VALUE_BOOLEAN', 'VALUE_NULL'],
  readValue,
);

/** Any JSON at all. */
export const anything: FieldType = fieldType(
  ['START_OBJECT', 'START_ARRAY', 'VALUE_STRING', 'VALUE_NUMBER', 'VALUE_BOOLEAN', 'VALUE_NULL'],
  readValue,
);

/** An object or a list, with anything inside. */
export const objectOrArray: FieldType = fieldType(['START_OBJECT', 'START_ARRAY'], readValue);

/** Any scalar, null, or an object. */
export const valueOrObject: FieldType = fieldType(
  ['START_OBJECT', 'VALUE_STRING', 'VALUE_NUMBER', 'VALUE_BOOLEAN', 'VALUE_NULL'],
  readValue,
);

/** A list of texts; a lone text counts as a list of one. */
export const stringArray: FieldType = fieldType(['START_ARRAY', 'VALUE_STRING'], (reader) => {
  if (reader.token !== 'START_ARRAY') return [reader.text];
  const items: string[] = [];
  for (let token = reader.next(); token !== 'END_ARRAY'; token = reader.next()) {
    if (token === 'START_OBJECT' || token === 'START_ARRAY' || token === 'VALUE_NULL') {
      throw illegalArgument(`Can't get text on a ${token} at ${reader.place.line}:${reader.place.column}`);
    }
    items.push(token === 'VALUE_BOOLEAN' ? String(reader.boolean) : reader.text);
  }
  return items;
});

/** An object whose members are all of one declaration, under any names. */
export function mapOf(declaration: BodyDeclaration): FieldType {
  return fieldType(['START_OBJECT'], (reader) => {
    const members: JsonObject = {};
    while (reader.next() !== 'END_OBJECT') {
      const name = reader.text;
      reader.next();
      setOwn(members, name, readObject(reader, declaration));
    }
    return members;
  });
}

/** An object with a declaration of its own. */
export function nested(declaration: BodyDeclaration): FieldType {
  return fieldType(['START_OBJECT'], (reader) => readObject(reader, declaration));
}

/** A list of objects with a declaration of their own; a lone object counts as a list of one. */
export function nestedArray(declaration: BodyDeclaration): FieldType {
  return fieldType(['START_ARRAY', 'START_OBJECT'], (reader) => {
    if (reader.token === 'START_OBJECT') return [readObject(reader, declaration)];
    const items = [];
    while (reader.next() !== 'END_ARRAY') items.push(readObject(reader, declaration));
    return items;
  });
}

/** A field whose text is checked and perhaps rewritten when it is read. */
export function checkedString(check: (text: string) => unknown): FieldType {
  return fieldType(['VALUE_STRING'], (reader) => check(reader.text));
}

/** As {@link checkedString}, with null let through. */
export function checkedStringOrNull(check: (text: string) => unknown): FieldType {
  return fieldType(['VALUE_STRING', 'VALUE_NULL'], (reader) =>
    reader.token === 'VALUE_NULL' ? null : check(reader.text),
  );
}

function readLong(reader: TokenReader): number {
  const { text } = reader;
  if (!/^-?\d+$/.test(text)) {
    const value = Number(text);
    if (text.trim() === '' || Number.isNaN(value))
      throw failure('number_format_exception', `For input string: "${text}"`);
    if (!Number.isInteger(value))
      throw illegalArgument(`${text} cannot be converted to Long without data loss`);
    return value;
  }
  const exact = BigInt(text);
  if (exact > maxLong || exact < -maxLong - 1n) {
    throw illegalArgument(`Value [${text}] is out of range for a long`);
  }
  return Number(exact);
}

/** An instant in ISO 8601, rewritten as it is stored. */
export const instant: FieldType = fieldType(['VALUE_STRING'], readInstant);

/** An instant in ISO 8601, or null. */
export const instantOrNull: FieldType = fieldType(['VALUE_STRING', 'VALUE_NULL'], (reader) =>
  reader.token === 'VALUE_NULL' ? null : readInstant(reader),
);

function readInstant(reader: TokenReader): string {
  const found = normalizeInstant(reader.text);
  if (found === undefined) {
    throw failure('date_time_parse_exception', `Text '${reader.text}' could not be parsed at index 0`);
  }
  return found;
}

function failure(type: string, reason: string): ServerException {
  return new ServerException(400, { type, reason });
}
