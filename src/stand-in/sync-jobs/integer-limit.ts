/** Counters are parsed as 64-bit numbers but mapped as `integer`, so larger ones fail in the mapping. */
import { ServerException } from '../errors/server-exception.ts';
import type { JsonObject } from '../json/read-value.ts';

const maxInteger = 2 ** 31 - 1;

/** 400 for the first counter beyond 32 bits, else undefined (source: connectors issue 735). */
export function refuseWideIntegers(values: JsonObject, documentId: string): ServerException | undefined {
  for (const [field, value] of Object.entries(values)) {
    if (typeof value !== 'number' || value <= maxInteger) continue;
    return new ServerException(400, {
      type: 'document_parsing_exception',
      reason:
        `[1:1] failed to parse field [${field}] of type [integer] in document with id '${documentId}'. ` +
        `Preview of field's value: '${value}'`,
      causedBy: {
        type: 'illegal_argument_exception',
        reason: `Value [${value}] is out of range for an integer`,
      },
    });
  }
  return undefined;
}
