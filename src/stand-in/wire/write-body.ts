/** Bodies as text: one line of JSON, `?pretty`, or YAML, in the very form Elasticsearch writes them. */
import { isObject } from '../json/read-value.ts';

/** JSON over several lines: two spaces a level, ` : ` after names, a line end at the end. */
export function prettyJson(value: unknown): string {
  return `${pretty(value, '')}\n`;
}

function pretty(value: unknown, indent: string): string {
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    if (value.length === 0) return '[ ]';
    return `[\n${value.map((item) => `${inner}${pretty(item, inner)}`).join(',\n')}\n${indent}]`;
  }
  if (isObject(value)) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    if (members.length === 0) return '{ }';
    const lines = members.map(
      ([name, member]) => `${inner}${JSON.stringify(name)} : ${pretty(member, inner)}`,
    );
    return `{\n${lines.join(',\n')}\n${indent}}`;
  }
  return JSON.stringify(value) ?? 'null';
}

/** YAML as Jackson writes it: a document start, quoted strings, two spaces a level. */
export function yaml(value: unknown): string {
  return `---${yamlValue(value, '')}\n`;
}

function yamlValue(value: unknown, indent: string): string {
  if (Array.isArray(value)) {
    if (value.length === 0) return ' []';
    return value.map((item) => `\n${indent}-${yamlItem(item, `${indent}  `)}`).join('');
  }
  if (isObject(value)) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    if (members.length === 0) return ' {}';
    return members
      .map(([name, member]) => {
        const inner = isObject(member) ? `${indent}  ` : indent;
        return `\n${indent}${yamlName(name)}:${yamlValue(member, inner)}`;
      })
      .join('');
  }
  return ` ${JSON.stringify(value) ?? 'null'}`;
}

/** In a list, an object's first member stands beside the dash. */
function yamlItem(item: unknown, indent: string): string {
  const text = yamlValue(item, indent);
  return isObject(item) && text.startsWith('\n') ? ` ${text.slice(indent.length + 1)}` : text;
}

function yamlName(name: string): string {
  return /^[A-Za-z_][\w./-]*$/.test(name) ? name : JSON.stringify(name);
}
