import type { Buffer } from 'node:buffer';
import { BodyReader } from './body-reader.ts';
import { didYouMean } from './did-you-mean.ts';
import { EsFailure, illegalArgument } from './es-failure.ts';

const PARSER = '[connector_sync_job_error_request]';
const FIELD = 'error';

/**
 * The text of `{"error": "…"}`, which may be empty: that is for the validation of the whole request.
 *
 * @throws {EsFailure} with what Elasticsearch answers to anything else
 */
export function parseErrorBody(bytes: Buffer): string {
  if (bytes.length === 0) {
    throw new EsFailure(400, { type: 'parse_exception', reason: 'request body is required' });
  }
  const reader = new BodyReader(bytes);
  beginObject(reader);
  let error: string | undefined;
  const names = new Set<string>();
  while (!reader.leavesObject(names.size === 0)) {
    const namePlace = reader.place;
    const name = reader.readName(names);
    names.add(name);
    const valuePlace = reader.place;
    const { token, text } = reader.readValue();
    if (name !== FIELD) {
      throw refused(namePlace, `unknown field [${name}]${didYouMean(' ', name, [FIELD])}`);
    }
    if (token !== 'VALUE_STRING') {
      throw refused(valuePlace, `${FIELD} doesn't support values of type: ${token}`);
    }
    error = text;
  }
  if (error === undefined) throw illegalArgument(`Required [${FIELD}]`);
  return error;
}

function beginObject(reader: BodyReader): void {
  reader.skipBlank();
  const { place } = reader;
  const token = reader.isAtEnd ? 'null' : reader.readValue().token;
  if (token !== 'START_OBJECT') throw refused(place, `Expected START_OBJECT but was: ${token}`);
  reader.enterObject();
}

function refused(place: string, complaint: string): EsFailure {
  return new EsFailure(400, {
    type: 'x_content_parse_exception',
    reason: `[${place}] ${PARSER} ${complaint}`,
  });
}
