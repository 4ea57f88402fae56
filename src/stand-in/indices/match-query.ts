/** The few queries of the search endpoint: exact values, ids, existence, and combinations of them. */
import { ServerException } from '../errors/server-exception.ts';
import { isObject, type JsonObject } from '../json/read-value.ts';

/**
 * Whether a document matches a query; no query matches everything.
 *
 * @throws ServerException 400 for a query that is not modelled.
 */
export function matchesQuery(query: unknown, id: string, source: JsonObject): boolean {
  if (!isObject(query)) return true;
  const [kind, body] = Object.entries(query)[0] ?? ['match_all', {}];
  const [field, wanted] = Object.entries(isObject(body) ? body : {})[0] ?? ['', undefined];
  switch (kind) {
    case 'match_all':
      return true;
    case 'ids':
      return isObject(body) && Array.isArray(body['values']) && body['values'].includes(id);
    case 'exists':
      return isObject(body) && valuesAt(source, String(body['field'])).length > 0;
    case 'term':
    case 'match':
      return matchesAny(valuesAt(source, field), [
        isObject(wanted) ? (wanted['value'] ?? wanted['query']) : wanted,
      ]);
    case 'terms':
      return matchesAny(valuesAt(source, field), Array.isArray(wanted) ? wanted : []);
    case 'bool':
      return isObject(body) && matchesBool(body, id, source);
    default:
      throw new ServerException(400, { type: 'parsing_exception', reason: `unknown query [${kind}]` });
  }
}

function matchesBool(body: JsonObject, id: string, source: JsonObject): boolean {
  const clauses = (name: string): unknown[] => {
    const value = body[name];
    return Array.isArray(value) ? value : value === undefined ? [] : [value];
  };
  const matches = (query: unknown): boolean => matchesQuery(query, id, source);
  const required = [...clauses('must'), ...clauses('filter')];
  const optional = clauses('should');
  return (
    required.every(matches) &&
    !clauses('must_not').some(matches) &&
    (optional.length === 0 || required.length > 0 || optional.some(matches))
  );
}

function matchesAny(values: readonly unknown[], wanted: readonly unknown[]): boolean {
  return values.some((value) => wanted.some((one) => String(one) === String(value)));
}

/** The values a dotted path leads to, arrays looked through. */
function valuesAt(source: unknown, path: string): unknown[] {
  let values: unknown[] = [source];
  for (const name of path.replace(/\.keyword$/, '').split('.')) {
    values = values.flatMap((value) =>
      isObject(value) && Object.hasOwn(value, name) ? [value[name]].flat() : [],
    );
  }
  return values.filter((value) => value !== null && value !== undefined);
}
