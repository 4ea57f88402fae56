import { decodeQueryPart } from './decode-component.ts';
import { didYouMean } from './did-you-mean.ts';
import { type EsFailure, illegalArgument } from './es-failure.ts';

/** The parameters that every path of Elasticsearch takes; of these only `pretty` changes an answer of ours. */
const COMMON = ['pretty', 'human', 'error_trace', 'filter_path', 'format', 'source', 'source_content_type'];

/**
 * Reads a query.
 *
 * @param text what follows the question mark
 * @throws {EsFailure} for a broken escape
 */
export function readParameters(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const part of text.split(/[&;]/)) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const [name, value] = equals === -1 ? [part, ''] : [part.slice(0, equals), part.slice(equals + 1)];
    values.set(decodeQueryPart(name), decodeQueryPart(value));
  }
  return values;
}

/** The refusal of parameters that there are not, or undefined where all are known. */
export function refuseUnknown(parameters: ReadonlyMap<string, string>, path: string): EsFailure | undefined {
  const unknown = [...parameters.keys()].filter((name) => !COMMON.includes(name)).sort();
  if (unknown.length === 0) return undefined;
  const listed = unknown.map((name) => `[${name}]${didYouMean(' -> ', name, COMMON)}`).join(', ');
  return illegalArgument(
    `request [${path}] contains unrecognized parameter${unknown.length === 1 ? '' : 's'}: ${listed}`,
  );
}

/** JSON over several lines, as Elasticsearch writes it where `?pretty` asks for it. */
export function prettyJson(value: unknown, indent = ''): string {
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    return `[\n${value.map((item) => `${inner}${prettyJson(item, inner)}`).join(',\n')}\n${indent}]`;
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const lines = Object.entries(value).map(
    ([name, member]) => `${inner}${JSON.stringify(name)} : ${prettyJson(member, inner)}`,
  );
  return `{\n${lines.join(',\n')}\n${indent}}`;
}
