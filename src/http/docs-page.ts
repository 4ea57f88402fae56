/** The API as a page to read, made of the OpenAPI document, without scripts and without anything from elsewhere. */
import { PROBLEMS } from './problem.ts';

/** As much of an OpenAPI document as the page shows. */
export interface OpenApi {
  readonly info: { readonly title: string; readonly version: string; readonly description?: string };
  readonly paths?: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

interface Operation {
  readonly summary?: string;
  readonly description?: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema?: unknown }[];
  readonly requestBody?: { readonly content?: Content };
  readonly responses?: Readonly<
    Record<string, { readonly description?: string; readonly content?: Content }>
  >;
}

type Content = Readonly<Record<string, { readonly schema?: unknown }>>;

/** Makes the page. */
export function docsPage({ info, paths = {} }: OpenApi): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => describe(path, method, operation)),
  );
  const problems = Object.entries(PROBLEMS).map(
    ([code, [status, title]]) =>
      `<tr id="${code}"><td>${status}</td><td><code>${code}</code></td><td>${text(title)}</td></tr>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${text(info.title)} API</title><link rel="stylesheet" href="/docs.css"></head><body><main>
<h1>${text(info.title)} <small>${text(info.version)}</small></h1>
<p>${text(info.description ?? '')} The same as data: <a href="/openapi.json">/openapi.json</a>.</p>
${operations.join('\n')}
<h2>Problems</h2>
<p>What goes wrong is told as <code>application/problem+json</code> (RFC 9457); under Elasticsearch’s path, in its form.</p>
<table><tr><th>Status</th><th>Code</th><th>Meaning</th></tr>${problems.join('')}</table>
</main></body></html>
`;
}

function describe(path: string, method: string, operation: Operation): string {
  const { summary = '', description = '', parameters = [], requestBody, responses = {} } = operation;
  return `<section><h2>${text(summary)}</h2>
<p class="call"><b>${method.toUpperCase()}</b> <code>${text(path)}</code></p><p>${text(description)}</p>
${parameters.length === 0 ? '' : `<table><tr><th>Parameter</th><th>In</th><th>Schema</th></tr>${parameters.map((each) => `<tr><td><code>${text(each.name)}</code></td><td>${each.in}</td><td><code>${json(each.schema)}</code></td></tr>`).join('')}</table>`}
${contents('Body', requestBody?.content)}
${Object.entries(responses)
  .map(([status, answer]) => contents(`${status} ${answer.description ?? ''}`, answer.content ?? {}))
  .join('\n')}</section>`;
}

function contents(title: string, content: Content | undefined): string {
  if (content === undefined) return '';
  const parts = Object.entries(content).map(
    ([type, { schema }]) => `<p><code>${text(type)}</code></p><pre>${json(schema, 2)}</pre>`,
  );
  return `<details><summary>${text(title)}</summary>${parts.join('')}</details>`;
}

const json = (value: unknown, indent?: number): string => text(JSON.stringify(value ?? {}, null, indent));

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

const text = (raw: string): string => raw.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character);

/** Its looks, light and dark. */
export const DOCS_CSS: string = `:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0; }
main { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
section { border-top: 1px solid #8886; margin-top: 2rem; }
small { font-weight: normal; opacity: .7; }
.call { font-size: 1.1rem; }
pre, code { font-family: ui-monospace, monospace; font-size: .9em; overflow-wrap: anywhere; }
pre { background: #8882; padding: .75rem; border-radius: .4rem; overflow: auto; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #8884; vertical-align: top; }
tr:target { background: #fd03; }
summary { cursor: pointer; padding: .25rem 0; }
`;
