import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bodyOfFailure, EsFailure } from '../../src/http/elasticsearch/es-failure.ts';
import { parseErrorBody } from '../../src/http/elasticsearch/parse-error-body.ts';
import { exceptionBody, ServerException } from '../../src/stand-in/errors/server-exception.ts';
import { string } from '../../src/stand-in/json/field-types.ts';
import { parseBody } from '../../src/stand-in/json/object-parser.ts';
import { bodies } from './arbitraries.ts';

const DECLARATION = {
  name: 'connector_sync_job_error_request',
  fields: { error: { type: string, required: true } },
};

function ours(bytes: Buffer): unknown {
  try {
    return parseErrorBody(bytes);
  } catch (error) {
    if (!(error instanceof EsFailure)) throw error;
    return bodyOfFailure(error);
  }
}

function theStandIns(bytes: Buffer): unknown {
  try {
    return parseBody(bytes, DECLARATION)['error'];
  } catch (error) {
    if (!(error instanceof ServerException)) throw error;
    return exceptionBody(error);
  }
}

describe('the body of _error', () => {
  test('is read, and refused, as the stand-in reads and refuses it', () => {
    fc.assert(
      fc.property(bodies, (bytes) => {
        // An empty body is refused before anybody parses it.
        fc.pre(bytes.length > 0);
        expect(ours(bytes)).toEqual(theStandIns(bytes));
      }),
      { numRuns: 20_000 },
    );
  });

  test.each([
    ['{"error":"x"} and more', 'x'],
    ['/* why */ {"error": // so\n "x"}', 'x'],
    ['\ufeff{"error":"\\u00e9\\n"}', 'é\n'],
    ['{"error":"   "}', '   '],
  ])('%j is taken', (text, error) => {
    expect(ours(Buffer.from(text))).toBe(error);
  });

  test.each([
    [
      '{"error":null}',
      "[1:10] [connector_sync_job_error_request] error doesn't support values of type: VALUE_NULL",
    ],
    ['{"error":"x","foo":1}', '[1:14] [connector_sync_job_error_request] unknown field [foo]'],
    [
      '{"errors":"x"}',
      '[1:2] [connector_sync_job_error_request] unknown field [errors] did you mean [error]?',
    ],
    ['[]', '[1:1] [connector_sync_job_error_request] Expected START_OBJECT but was: START_ARRAY'],
    ['{}', 'Required [error]'],
    ['{\n"error":', '[2:9] Unexpected end of file'],
  ])('%j is refused with %s', (text, reason) => {
    expect(ours(Buffer.from(text))).toMatchObject({ error: { reason }, status: 400 });
  });
});
