/**
 * The limit of 32,766 bytes on a keyword: `error` is mapped as keyword without `ignore_above`, so
 * Lucene refuses a longer term and with it the document (source: the sync-job index mappings).
 */
import { ServerException } from '../errors/server-exception.ts';

/** Most bytes of UTF-8 in one keyword. */
export const maxKeywordBytes = 32_766;

/** The refusal of a keyword that is too long, or undefined. */
export function refuseLongKeyword(
  field: string,
  value: string,
  documentId: string,
): ServerException | undefined {
  // A UTF-16 unit is at most three bytes of UTF-8, so short strings need no counting.
  if (value.length * 3 <= maxKeywordBytes) return undefined;
  if (Buffer.byteLength(value) <= maxKeywordBytes) return undefined;
  const prefix = [...new Int8Array(Buffer.from(value.slice(0, 30)).subarray(0, 30))].join(', ');
  return new ServerException(400, {
    type: 'document_parsing_exception',
    reason:
      `[1:${placeInDocument(value)}] failed to parse field [${field}] of type [keyword] ` +
      `in document with id '${documentId}'. Preview of field's value: '${value}'`,
    causedBy: {
      type: 'illegal_argument_exception',
      reason:
        `Document contains at least one immense term in field="${field}" ` +
        `(whose UTF8 encoding is longer than the max length ${maxKeywordBytes}), all of which were skipped. ` +
        'Please correct the analyzer to not produce such terms. ' +
        `The prefix of the first immense term is: '[${prefix}]...'`,
    },
  });
}

/** A believable place inside the merged document, which clients do not see and must not rely on. */
function placeInDocument(value: string): number {
  return Buffer.byteLength(value) + 12;
}
