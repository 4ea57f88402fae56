/**
 * Strict bodies, declared field by field: a model of Elasticsearch's `ConstructingObjectParser`
 * (general knowledge of Elasticsearch; messages asserted by Elastic's own tests).
 *
 * 1. The body must be an object.
 * 2. Fields are read in document order; the first that fails ends it.
 * 3. An unknown field fails once its value's first token has been read.
 * 4. When every declared field has arrived the request is built at once, and a failure to build is
 *    blamed on that last field; otherwise it is built at the end, after the check for missing ones.
 */
import { didYouMean } from '../errors/did-you-mean.ts';
import { type ExceptionShape, illegalArgument, ServerException } from '../errors/server-exception.ts';
import type { JsonObject } from './read-value.ts';
import { setOwn } from './read-value.ts';
import { contentFailure, type Place, type Token, TokenReader } from './token-reader.ts';

/** How one field is read: which tokens may start it, and what they become. */
export interface FieldType {
  readonly tokens: ReadonlySet<Token>;
  /** Called with the value's first token current; must end on its last token. */
  readonly read: (reader: TokenReader) => unknown;
}

/** One declared field. */
export interface Field {
  readonly type: FieldType;
  readonly required?: boolean;
  /** Other spellings that are accepted for it. */
  readonly aliases?: readonly string[];
}

/** A body's declaration. */
export interface BodyDeclaration {
  /** The parser's name, which its messages quote. */
  readonly name: string;
  readonly fields: Readonly<Record<string, Field>>;
  /** Unknown fields are passed over instead of refused. */
  readonly lenient?: boolean;
  /** Checks that belong to building the request; throws IllegalArgumentException-like failures. */
  readonly build?: (values: JsonObject) => void;
}

/** Parses a body by its declaration; members that were not sent are absent from the result. */
export function parseBody(bytes: Buffer, declaration: BodyDeclaration): JsonObject {
  const reader = new TokenReader(bytes);
  reader.next();
  return readObject(reader, declaration);
}

/** Parses the object that starts at the current token; ends on its END_OBJECT. */
export function readObject(reader: TokenReader, declaration: BodyDeclaration): JsonObject {
  if (reader.token !== 'START_OBJECT') {
    throw contentFailure(
      reader.place,
      `[${declaration.name}] Expected START_OBJECT but was: ${reader.token ?? 'null'}`,
    );
  }
  const values: JsonObject = {};
  const missing = new Set(Object.keys(declaration.fields));
  let built = false;
  while (reader.next() !== 'END_OBJECT') {
    const written = reader.text;
    const namePlace = reader.place;
    const token = reader.next();
    const name = declaredName(declaration, written);
    const field = name === undefined ? undefined : declaration.fields[name];
    if (name === undefined || field === undefined) {
      if (declaration.lenient !== true) throw unknownField(declaration, written, namePlace);
      reader.skipChildren();
      continue;
    }
    if (token === undefined || !field.type.tokens.has(token)) {
      throw contentFailure(
        reader.place,
        `[${declaration.name}] ${written} doesn't support values of type: ${token ?? 'null'}`,
      );
    }
    const valuePlace = reader.place;
    setOwn(values, name, readField(reader, declaration, written, field));
    missing.delete(name);
    if (missing.size === 0 && !built) {
      built = true;
      buildAtLastField(declaration, values, written, valuePlace);
    }
  }
  if (!built) buildAtEnd(declaration, values, missing);
  return values;
}

/** Plain property access would find `constructor` and friends on every object. */
function declaredName(declaration: BodyDeclaration, written: string): string | undefined {
  if (Object.hasOwn(declaration.fields, written)) return written;
  return Object.keys(declaration.fields).find((name) => declaration.fields[name]?.aliases?.includes(written));
}

function unknownField(declaration: BodyDeclaration, name: string, place: Place): ServerException {
  const hint = didYouMean(name, Object.keys(declaration.fields));
  return contentFailure(place, `[${declaration.name}] unknown field [${name}]${hint}`);
}

function readField(reader: TokenReader, declaration: BodyDeclaration, name: string, field: Field): unknown {
  const place = reader.place;
  try {
    return field.type.read(reader);
  } catch (error) {
    if (!(error instanceof ServerException)) throw error;
    // A broken document is reported as it is; only what the field made of it is wrapped.
    if (isMalformed(error)) throw error;
    throw wrapped(error, place, `[${declaration.name}] failed to parse field [${name}]`);
  }
}

function isMalformed(error: ServerException): boolean {
  const cause = error.shape.causedBy?.type;
  return cause === 'json_parse_exception' || cause === 'json_e_o_f_exception';
}

/** The failure `error`, seen from the field or object around it; the innermost parse failure is the root. */
function wrapped(error: ServerException, place: Place | undefined, message: string): ServerException {
  const inner = error.shape;
  const isParseFailure = inner.type === 'x_content_parse_exception' || inner.type === 'parse_exception';
  return contentFailure(place, message, inner, isParseFailure ? error.rootCause : undefined);
}

function buildAtLastField(
  declaration: BodyDeclaration,
  values: JsonObject,
  lastField: string,
  place: Place,
): void {
  try {
    declaration.build?.(values);
  } catch (error) {
    if (!(error instanceof ServerException)) throw error;
    const inner: ExceptionShape = failedToBuild(declaration, error);
    throw contentFailure(place, `[${declaration.name}] failed to parse field [${lastField}]`, inner, inner);
  }
}

function buildAtEnd(declaration: BodyDeclaration, values: JsonObject, missing: ReadonlySet<string>): void {
  const absent = [...missing].filter((name) => declaration.fields[name]?.required === true);
  if (absent.length > 0) throw illegalArgument(`Required [${absent.join(', ')}]`);
  try {
    declaration.build?.(values);
  } catch (error) {
    if (!(error instanceof ServerException)) throw error;
    throw new ServerException(400, failedToBuild(declaration, error));
  }
}

function failedToBuild(declaration: BodyDeclaration, error: ServerException): ExceptionShape {
  return {
    type: 'x_content_parse_exception',
    reason: `Failed to build [${declaration.name}] after last required field arrived`,
    causedBy: error.shape,
  };
}
