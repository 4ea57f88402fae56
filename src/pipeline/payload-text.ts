import type { Payload } from './ports.ts';

/** A payload as a dead letter keeps it: text as it was found, anything else written out as JSON again. */
export function payloadText(payload: Payload): string {
  if (payload.kind === 'text') return payload.text;
  try {
    return JSON.stringify(payload.value) ?? '';
  } catch {
    // It can be read at any depth, but is written by recursion.
    return deepJsonText(payload.value);
  }
}

type Todo = { readonly text: string } | { readonly value: unknown };

/** What `JSON.stringify` gives for a value that came from JSON, without recursion. */
function deepJsonText(whole: unknown): string {
  const written: string[] = [];
  /** What is left to write, the next last. */
  const todo: Todo[] = [{ value: whole }];
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    if ('text' in next) written.push(next.text);
    else if (typeof next.value !== 'object' || next.value === null) written.push(JSON.stringify(next.value));
    else for (const part of partsOf(next.value).reverse()) todo.push(part);
  }
  return written.join('');
}

function partsOf(value: object): Todo[] {
  const isArray = Array.isArray(value);
  const parts: Todo[] = [{ text: isArray ? '[' : '{' }];
  for (const [name, part] of Object.entries(value)) {
    const comma = parts.length === 1 ? '' : ',';
    parts.push({ text: isArray ? comma : `${comma}${JSON.stringify(name)}:` }, { value: part });
  }
  parts.push({ text: isArray ? ']' : '}' });
  return parts;
}
