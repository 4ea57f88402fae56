/** Turns an answer into status, headers and bytes. */
import { gzipSync } from 'node:zlib';
import type { Answer } from '../route.ts';
import { filterPath } from './filter-path.ts';
import type { Media } from './media-type.ts';
import { prettyJson, yaml } from './write-body.ts';

/** What goes on the wire; headers as name, value, name, value. */
export interface WireAnswer {
  readonly status: number;
  readonly headers: string[];
  readonly body: string | Buffer;
}

/** What of the request shapes the answer's form. */
export interface AnswerForm {
  readonly media: Media;
  /** The query string, '' for none. */
  readonly queryText: string;
  readonly opaqueId: string | undefined;
  readonly acceptsGzip: boolean;
}

/** The header by which clients know an Elasticsearch. */
export const productHeader: readonly [string, string] = ['X-elastic-product', 'Elasticsearch'];

/** Writes an answer in the form the request asks for. */
export function writeAnswer(answer: Answer, form: AnswerForm): WireAnswer {
  const headers: string[] = [...productHeader];
  if (form.opaqueId !== undefined) headers.push('X-Opaque-Id', form.opaqueId);
  if (answer.headers !== undefined) pushHeaders(headers, answer.headers);
  if (answer.body === undefined) {
    headers.push('content-length', '0');
    return { status: answer.status, headers, body: '' };
  }
  const { text, type } = writeText(answer, form);
  headers.push('content-type', type);
  if (form.acceptsGzip) {
    const packed = gzipSync(text, { level: 3 });
    headers.push('content-encoding', 'gzip', 'content-length', String(packed.length));
    return { status: answer.status, headers, body: packed };
  }
  headers.push('content-length', String(Buffer.byteLength(text)));
  return { status: answer.status, headers, body: text };
}

function pushHeaders(headers: string[], more: NonNullable<Answer['headers']>): void {
  for (const [name, value] of Object.entries(more)) {
    for (const single of typeof value === 'string' ? [value] : value) headers.push(name, single);
  }
}

function writeText(answer: Answer, form: AnswerForm): { text: string; type: string } {
  const { media } = form;
  if (form.queryText === '' && media.responseFormat === 'json' && answer.pretty !== true) {
    return { text: JSON.stringify(answer.body), type: media.responseType };
  }
  const asked = new URLSearchParams(form.queryText);
  // Errors are never filtered (source: `AbstractRestChannel.newErrorBuilder`, general knowledge).
  const paths =
    answer.status < 400 ? (asked.get('filter_path') ?? '').split(',').filter((path) => path !== '') : [];
  const body = paths.length === 0 ? answer.body : filterPath(answer.body, paths);
  const format = asked.get('format') ?? media.responseFormat;
  if (format === 'yaml') {
    return { text: yaml(body), type: asked.has('format') ? 'application/yaml' : media.responseType };
  }
  const isPretty = asked.has('pretty') ? asked.get('pretty') !== 'false' : answer.pretty === true;
  return { text: isPretty ? prettyJson(body) : JSON.stringify(body), type: media.responseType };
}
